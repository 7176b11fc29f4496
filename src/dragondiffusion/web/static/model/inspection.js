// Questions about edits: whether one has an effect, which images and masks it needs.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").Mask} Mask
 * @typedef {import("./types.js").Placing} Placing
 * @typedef {import("./types.js").Point} Point
 */

import { UNMOVED } from "./document.js";
import { missingFields } from "./kinds.js";

/** The edits that a run makes: neither hidden nor without effect.
 * @param {Doc} doc
 * @returns {Edit[]} */
export function activeEdits(doc) {
  return doc.edits.filter((edit) => !edit.hidden && !isIdle(edit));
}

/** Whether an edit changes nothing yet: not moved, no arrow, no second object.
 * @param {Edit} edit
 * @returns {boolean} */
export function isIdle(edit) {
  switch (edit.kind) {
    case "move":
      return samePlacing(edit.placing, UNMOVED);
    case "drag":
      return edit.points.every(([from, to]) => samePoint(from, to));
    case "landmarks":
      return edit.from.every((from, k) => samePoint(from, edit.to[k] ?? from));
    case "appearance":
      return edit.reference === null;
    case "form":
      return missingFields(edit).length > 0;
    default:
      return false;
  }
}

/** @param {Placing} a
 * @param {Placing} b
 * @returns {boolean} */
function samePlacing(a, b) {
  return samePoint(a.offset, b.offset) && samePoint(a.scale, b.scale) && a.angle === b.angle && a.flip === b.flip;
}

/** @param {Point} a
 * @param {Point} b
 * @returns {boolean} */
function samePoint(a, b) {
  return a[0] === b[0] && a[1] === b[1];
}

/** Images and masks that showing the document needs, by name.
 * @param {Doc} doc
 * @returns {{images: Set<string>, masks: Set<string>}} */
export function namesOf(doc) {
  const images = new Set(doc.picture === null ? [] : [doc.picture.name]);
  const masks = new Set(doc.selection === null ? [] : [doc.selection.mask.name]);
  for (const edit of doc.edits) {
    if ("image" in edit) images.add(edit.image.name);
    if (edit.kind === "form") for (const image of Object.values(edit.images)) images.add(image.name);
    for (const mask of masksOf(edit)) masks.add(mask.name);
  }
  return { images, masks };
}

/** All masks of an edit.
 * @param {Edit} edit
 * @returns {Mask[]} */
export function masksOf(edit) {
  const own = "selection" in edit && edit.selection !== null ? [edit.selection] : [];
  const more = edit.kind === "form" ? Object.values(edit.masks) : edit.kind === "appearance" && edit.reference !== null ? [edit.reference] : [];
  return [...own, ...more].map(({ mask }) => mask);
}
