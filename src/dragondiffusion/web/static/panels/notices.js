// Notices: the status line, errors, the first hints, and the start without an image.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 */

import { byName, h, iconButton, setText, wordButton } from "./dom.js";
import { activeEdits } from "../model/inspection.js";
import { statusOf } from "../model/status.js";
import { openScene } from "../net/opening.js";

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeNotices(app) {
  const [status, error, empty, guide] = ["status", "error", "empty", "guide"].map((name) => byName(app.root, name));
  const sentence = h("p", { class: "dd-grow" });
  if (status === undefined || error === undefined || empty === undefined || guide === undefined) return () => undefined;
  error.append(sentence, iconButton("close", "Close", () => app.store.set({ error: null }), "dd-plain"));
  byName(app.root, "empty-actions").append(
    wordButton("open", "Open an image", () => byName(app.root, "file").click(), "dd-primary dd-large"),
    wordButton("scene", "Try a drawn scene", () => void openScene(app, "move"), "dd-large"),
  );
  const line = /** @type {HTMLElement} */ (status.parentElement);
  const model = byName(app.root, "model");
  let calls = 0;
  byName(app.root, "local").hidden = !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  return (state) => {
    setText(status, statusOf(state));
    if (state.calls !== calls) flash(line);
    calls = state.calls;
    setText(model, state.session?.model ?? "");
    model.title = ["Model", ...(state.session?.model_notes ?? [])].join("\n");
    error.hidden = state.error === null;
    setText(sentence, state.error ?? "");
    empty.hidden = !state.ready || state.history.present.picture !== null;
    const text = guideOf(state);
    guide.hidden = text === null;
    setText(guide, text ?? "");
  };
}

/** @param {HTMLElement} line */
function flash(line) {
  const colours = { backgroundColor: ["var(--dd-accent)", "var(--dd-accent)", "var(--dd-panel)"], color: ["var(--dd-on-accent)", "var(--dd-on-accent)", "var(--dd-faint)"] };
  line.animate(colours, { duration: 2400 });
}

/** The next step of a first edit; nothing once there is a result.
 * @param {State} state
 * @returns {string | null} */
export function guideOf(state) {
  const doc = state.history.present;
  if (doc.picture === null || state.jobs.length > 0 || state.tool !== "select" || state.history.gesture !== null) return null;
  if (activeEdits(doc).length > 0) return "Now press Edit";
  if (doc.selection !== null) return "Now drag it";
  return doc.edits.length === 0 ? "Tap an object, then drag it" : null;
}
