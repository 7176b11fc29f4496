// Problems of a document, in sentences, before the server is asked.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").Placing} Placing
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Selection} Selection
 */

import { about, apply } from "./geometry.js";
import { activeEdits, masksOf } from "./inspection.js";
import { missingFields } from "./kinds.js";

/** Reasons why the edits cannot run, in sentences; none if they can. How they fit together is the server's to say, with the preview.
 * @param {Doc} doc
 * @returns {string[]} */
export function problems(doc) {
  if (doc.picture === null) return ["Open an image first."];
  const active = activeEdits(doc);
  if (active.length === 0) return [nothingToDo(doc)];
  const { width, height } = doc.picture;
  return active.flatMap((edit) => problemOf(edit, width, height));
}

/** @param {Doc} doc
 * @returns {string} */
function nothingToDo(doc) {
  if (doc.selection !== null) return "Drag the selected object to where it should go.";
  const idle = doc.edits.find((edit) => !edit.hidden);
  if (idle === undefined) return doc.edits.length === 0 ? "Tap an object, then drag it." : "All edits are hidden; show one of them.";
  switch (idle.kind) {
    case "move":
      return "Drag the object somewhere else.";
    case "drag":
      return "Draw an arrow.";
    case "landmarks":
      return "Drag a landmark.";
    case "appearance":
      return "Select the object whose appearance is taken.";
    case "form":
      return `${idle.spec.title}: set ${missingFields(idle).map(({ title }) => title.toLowerCase()).join(", ")}.`;
    default:
      return "";
  }
}

/** @param {Edit} edit
 * @param {number} width
 * @param {number} height
 * @returns {string[]} */
function problemOf(edit, width, height) {
  if (masksOf(edit).some((mask) => mask.area === 0)) return ["The selection is empty; select the object again."];
  if ((edit.kind === "move" || edit.kind === "paste") && isOutside(edit.selection, edit.placing, width, height)) {
    return ["The object would lie outside of the image; drag it back, or erase it."];
  }
  const points = edit.kind === "drag" ? edit.points.flat() : edit.kind === "landmarks" ? [...edit.from, ...edit.to] : [];
  const beyond = points.some(([x, y]) => x < 0 || y < 0 || x > width || y > height);
  return beyond ? ["A point lies outside of the image; drag it back."] : [];
}

/** @param {Selection} selection
 * @param {Placing} placing
 * @param {number} width
 * @param {number} height
 * @returns {boolean} */
function isOutside(selection, placing, width, height) {
  const [x0, y0, x1, y1] = selection.mask.box;
  /** @type {Point[]} */
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  const map = about(selection.mask.centroid, placing);
  const at = corners.map((corner) => apply(map, corner));
  const [xs, ys] = [at.map(([x]) => x), at.map(([, y]) => y)];
  return Math.max(...xs) <= 0 || Math.max(...ys) <= 0 || Math.min(...xs) >= width || Math.min(...ys) >= height;
}
