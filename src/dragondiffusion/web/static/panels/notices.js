// Notices: the status line, errors, the first hints, and the start without an image.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 */

import { byName, h, iconButton, setText, wordButton } from "./dom.js";
import { chosenEdit } from "../model/document.js";
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
  const [model, last] = [byName(app.root, "model"), byName(app.root, "last")];
  const leaving = leaver(error, () => app.store.set({ error: null }));
  const reading = leaver(line, () => line.classList.add("dd-read")); // where the line lies over the image
  let [calls, said] = [0, ""];
  byName(app.root, "local").hidden = !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  return (state) => {
    const says = statusOf(state);
    setText(status, says);
    setText(last, says);
    if (says !== said || state.calls !== calls) line.classList.remove("dd-read");
    said = says;
    reading(says);
    if (state.calls !== calls) flash(line);
    calls = state.calls;
    setText(model, state.session?.model ?? "");
    model.title = ["Model", ...(state.session?.model_notes ?? [])].join("\n");
    error.hidden = state.error === null;
    setText(sentence, state.error ?? "");
    leaving(state.error);
    empty.hidden = !state.ready || state.history.present.picture !== null;
    const text = guideOf(state);
    guide.hidden = text === null;
    setText(guide, text ?? "");
  };
}

/** Lets an error leave once there was time to read it; not while it is pointed at or has the focus.
 * @param {HTMLElement} element
 * @param {() => void} leave
 * @returns {(text: string | null) => void}  to be called with each text */
function leaver(element, leave) {
  let timer = 0;
  /** @type {string | null} */
  let shown = null;
  const isHeld = () => element.matches(":hover, :focus-within");
  /** @param {number} time */
  function wait(time) {
    clearTimeout(timer);
    timer = window.setTimeout(() => (isHeld() || document.hidden ? wait(1000) : leave()), time);
  }
  return (text) => {
    if (text === shown) return;
    shown = text;
    if (text === null) clearTimeout(timer);
    else wait(readingTime(text));
  };
}

/** Milliseconds in which a text is read with ease: three words a second, and some seconds to notice it.
 * @param {string} text
 * @returns {number} */
export function readingTime(text) {
  return 4000 + 330 * text.split(/\s+/).length;
}

/** Milliseconds for which the status line calls for attention. */
const CALL = 4000;

/** @param {HTMLElement} line */
function flash(line) {
  line.classList.add("dd-called");
  setTimeout(() => line.classList.remove("dd-called"), CALL);
}

/** The next step of a first edit; nothing once there is a result.
 * @param {State} state
 * @returns {string | null} */
export function guideOf(state) {
  const doc = state.history.present;
  if (doc.picture === null || state.jobs.length > 0 || state.tool !== "select" || state.history.gesture !== null) return null;
  if (chosenEdit(doc)?.kind === "paste" && state.history.past.at(-1)?.edits.length !== doc.edits.length) return "Drag it to its place, then press Edit";
  if (activeEdits(doc).length > 0) return "Now press Edit";
  if (doc.selection !== null) return "Now drag it";
  return doc.edits.length === 0 ? "Tap an object, then drag it" : null;
}
