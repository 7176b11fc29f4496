// The bar of the brush that paints the original back into a result.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 */

import { byName, h, wordButton } from "./dom.js";
import { brushFields } from "./brush_fields.js";

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeOriginalBar(app) {
  const { store } = app;
  const bar = byName(app.root, "original");
  const back = wordButton("brush", "Original", () => store.set({ how: "add" }), "dd-compact");
  const again = wordButton("eraser", "Result", () => store.set({ how: "remove" }), "dd-compact");
  const fields = brushFields(app);
  bar.append(
    h("div", { class: "dd-segments", role: "group", "aria-label": "What the brush paints" }, back, again),
    ...fields.elements,
    wordButton("check", "Done", () => store.set({ tool: "select" }), "dd-compact dd-primary"),
  );
  return (state) => {
    bar.hidden = state.tool !== "original";
    back.setAttribute("aria-pressed", String(state.how !== "remove"));
    again.setAttribute("aria-pressed", String(state.how === "remove"));
    fields.update(state);
  };
}
