// The status line: what was said last, as long as it holds, and what is the case now.

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Tool} Tool
 */

import { chosenEdit } from "./document.js";
import { activeEdits } from "./inspection.js";
import { problems } from "./problems.js";
import { sentences, shownJob } from "./state.js";

/** What the brush does that paints the original back. */
const HINT = "Paint where the original should come back; with Alt, where the result should.";

/** The status line.
 * @param {State} state
 * @returns {string} */
export function statusOf(state) {
  if (state.away) return "The server does not answer; trying again.";
  if (state.busy > 0) return "Working…";
  const [said, now] = [lastNote(state), happening(state)];
  return said.includes(now) ? said : sentences(said, now);
}

/** The last message, if what it is about is still there.
 * @param {State} state
 * @returns {string} */
function lastNote({ note, history, tool, shown }) {
  const holds = note !== null && note.doc === history.present && note.tool === tool && note.shown === shown;
  return holds ? note.text : "";
}

/** @param {State} state
 * @returns {string} */
function happening(state) {
  const doc = state.history.present;
  const result = shownJob(state);
  if (result !== undefined && state.tool === "original") return sentences(HINT, paintedWords(doc, result.id));
  if (result !== undefined) return sentences("Done", result.report?.words ?? "", paintedWords(doc, result.id), ...result.notes);
  if (state.watched !== null) return "Editing.";
  return doc.picture === null ? "" : nextStep(state, doc);
}

/** That a result is no more as it was made; empty where it is.
 * @param {Doc} doc
 * @param {string} job
 * @returns {string} */
export function paintedWords(doc, job) {
  const mask = doc.backs[job];
  return mask === undefined ? "" : `The original is painted back over ${mask.area < 0.01 ? "less than 1" : Math.round(100 * mask.area)} % of it.`;
}

/** What can be done with the document.
 * @param {State} state
 * @param {Doc} doc
 * @returns {string} */
function nextStep(state, doc) {
  if (doc.selection !== null) return sentences(selected(doc.selection.mask.area, state.tool), ...(doc.selection.notes ?? []));
  const isActive = activeEdits(doc).length > 0;
  const refusal = isActive ? refusalOf(state) : null;
  if (refusal !== null) return refusal;
  if (isActive) return state.preview === null ? "" : "This is a preview. Press Edit for the result.";
  if (state.tool === "drag") return "Pull an arrow from a point to where it should go.";
  if (state.tool === "landmarks") return chosenEdit(doc) === null ? "Tap points that should stay, and points to drag elsewhere." : "Drag the points.";
  return problems(doc)[0] ?? "";
}

/** How landmarks are set by hand, where none were found; null where they were, or others are set already.
 * @param {State} state
 * @returns {string | null} */
export function byHand(state) {
  const { picture, edits } = state.history.present;
  if (state.tool !== "landmarks" || picture === null || state.shown !== null || state.busy > 0) return null;
  if ((picture.landmarks ?? []).length > 0 || edits.some((edit) => edit.kind === "landmarks")) return null;
  const why = state.session?.faces
    ? "No points of a face are known here."
    : "This server finds no faces: that needs a model (pip install 'dragondiffusion[faces]').";
  return `${why} Set points by hand: tap those that should stay and those to move, then drag these.`;
}

/** Why the edits cannot be made as they are; null where nothing is known against them.
 * @param {State} state
 * @returns {string | null} */
export function refusalOf(state) {
  const doc = state.history.present;
  if (doc.picture === null || state.shown !== null || state.history.gesture !== null || activeEdits(doc).length === 0) return null;
  return problems(doc)[0] ?? state.refusal;
}

/** @param {number} area
 * @param {Tool} tool
 * @returns {string} */
function selected(area, tool) {
  if (area === 0) return "Nothing is selected there; click on another place, or paint it.";
  if (tool === "brush" || tool === "eraser" || tool === "lasso") return "Selected. Paint on, or take the arrow (V) and drag it.";
  return "Selected. Drag it to where it should go.";
}
