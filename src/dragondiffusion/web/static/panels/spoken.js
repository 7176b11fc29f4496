// What changed, in words for those who hear the page: read out beside the status line, once a gesture or key has come to its end.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Edit} Edit
 * @typedef {import("../model/types.js").EditKind} EditKind
 * @typedef {import("../model/types.js").Selection} Selection
 */

import { titleOf } from "../model/kinds.js";
import { paintedWords } from "../model/status.js";
import { byName, setText } from "./dom.js";
import { noteOf } from "./edit_list.js";

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeSpoken(app) {
  const region = byName(app.root, "spoken");
  /** @type {State | null} */
  let before = null;
  return (state) => {
    if (state.history.gesture !== null || state.busy > 0) return; // it goes on
    const said = before === null ? "" : spokenOf(before, state);
    before = state;
    if (said !== "") setText(region, said);
  };
}

/** What is different, in sentences; the status line says what is selected, previewed and done.
 * @param {State} before
 * @param {State} now
 * @returns {string} */
export function spokenOf(before, now) {
  const [old, doc] = [before.history.present, now.history.present];
  if (doc.picture !== null && doc.picture.name !== old.picture?.name) {
    return `“${doc.picture.title}” is open, ${doc.picture.width} by ${doc.picture.height} pixels.`;
  }
  const parts = old === doc ? [] : [...changedEdits(old, doc, now.kinds), ...selected(old, doc)];
  if (now.shown !== null && old.backs !== doc.backs) parts.push(paintedWords(doc, now.shown) || "Nothing is painted back.");
  if (before.shown !== null && now.shown === null) parts.push("Back at the edits.");
  return parts.join(" ");
}

/** @param {Doc} old
 * @param {Doc} doc
 * @param {readonly EditKind[]} kinds
 * @returns {string[]} */
function changedEdits(old, doc, kinds) {
  /** @param {Edit} edit */
  const words = (edit) => [titleOf(edit, kinds), edit.hidden ? "hidden" : noteOf(edit)].filter((part) => part !== "").join(": ");
  const gone = old.edits.filter(({ id }) => !doc.edits.some((edit) => edit.id === id)).map((edit) => `${titleOf(edit, kinds)} is taken back.`);
  const changed = doc.edits.filter((edit) => !old.edits.includes(edit) && !old.edits.some((each) => sameValue(each, edit)));
  const chosen = doc.edits.filter(({ id }) => id === doc.chosen && id !== old.chosen && old.edits.some((edit) => edit.id === id));
  const order = doc.edits.map(({ id }) => id);
  const isOther = order.length > 1 && order.join() !== old.edits.map(({ id }) => id).join() && order.every((id) => old.edits.some((edit) => edit.id === id));
  const ordered = isOther && gone.length === 0 ? [`The order is: ${doc.edits.map((edit) => titleOf(edit, kinds)).join(", ")}.`] : [];
  return [...gone, ...ordered, ...changed.map((edit) => `${words(edit)}.`), ...chosen.map((edit) => `Chosen: ${words(edit)}.`)];
}

/** @param {Edit} a
 * @param {Edit} b
 * @returns {boolean} */
function sameValue(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @param {Doc} old
 * @param {Doc} doc
 * @returns {string[]} */
function selected(old, doc) {
  if (doc.selection === null) return old.selection !== null && doc.chosen === null ? ["Nothing is selected."] : [];
  return doc.selection.mask.name === old.selection?.mask.name ? [] : [regionWords(doc.selection, doc)];
}

/** How large a selection is and where.
 * @param {Selection} selection
 * @param {Doc} doc
 * @returns {string} */
function regionWords({ mask }, { picture }) {
  if (mask.area === 0 || picture === null) return "";
  const [x, y] = [mask.centroid[0] / picture.width, mask.centroid[1] / picture.height];
  const where = [y < 1 / 3 ? "top" : y > 2 / 3 ? "bottom" : "", x < 1 / 3 ? "left" : x > 2 / 3 ? "right" : ""].filter((part) => part !== "");
  const [x0, y0, x1, y1] = mask.box;
  return `${x1 - x0} by ${y1 - y0} pixels, at the ${where.join(" ") || "centre"}.`;
}
