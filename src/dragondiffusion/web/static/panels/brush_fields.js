// Size and softness of the brush.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 */

import { h, setValue } from "./dom.js";

/** @param {App} app
 * @returns {{elements: HTMLElement[], update: (state: State) => void}} */
export function brushFields({ store }) {
  const size = h("input", { type: "range", min: 0.5, max: 20, step: 0.5, value: 5, "aria-label": "Size of the brush", class: "dd-slider" });
  size.addEventListener("input", () => store.set({ brush: Number(size.value) }));
  const soft = h("input", { type: "range", min: 0, max: 100, step: 5, value: 0, "aria-label": "Softness of the brush", class: "dd-slider" });
  soft.addEventListener("input", () => store.set({ softness: Number(soft.value) }));
  const elements = [h("label", { class: "dd-row dd-field" }, "Size", size), h("label", { class: "dd-row dd-field" }, "Softness", soft)];
  const update = (/** @type {State} */ state) => {
    setValue(size, state.brush);
    setValue(soft, state.softness);
  };
  return { elements, update };
}
