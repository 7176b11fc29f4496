// Edits that gestures make: what each does to the document.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Placing} Placing
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Selection} Selection
 * @typedef {import("./document.js").NewEdit} NewEdit
 */

import { addEdit, changeEdit, chosenEdit, deleteEdit, replaceEdit, UNMOVED, workedOn } from "./document.js";

/** The selected object goes elsewhere: the selection turns into an edit.
 * @param {Doc} doc
 * @param {Placing} placing
 * @returns {Doc} */
export function moveSelection(doc, placing) {
  return doc.selection === null ? doc : addEdit(doc, { kind: "move", selection: doc.selection, placing });
}

/** Moves the current object: a chosen move or paste is changed, a selection turns into a move. An erased or
 * restyled object that is dragged is moved besides, by an edit of its own that takes the place of the erasure.
 * @param {Doc} doc
 * @param {Placing} placing
 * @returns {Doc} */
export function place(doc, placing) {
  const edit = chosenEdit(doc);
  if (edit === null) return moveSelection(doc, placing);
  if (edit.kind === "move" || edit.kind === "paste") return changeEdit(doc, edit.id, { placing });
  if (edit.kind !== "remove") return doc;
  return replaceEdit(doc, edit.id, { kind: "move", selection: edit.selection, placing });
}

/** The selected object is erased; a chosen move turns into an erasure, any other chosen edit is deleted.
 * @param {Doc} doc
 * @returns {Doc} */
export function eraseSelection(doc) {
  const edit = chosenEdit(doc);
  if (edit?.kind === "move") return replaceEdit(doc, edit.id, { kind: "remove", selection: edit.selection });
  if (edit !== null) return deleteEdit(doc, edit.id);
  return doc.selection === null ? doc : addEdit(doc, { kind: "remove", selection: doc.selection });
}

/** An object of a second image is pasted; `placing` is from its place there.
 * @param {Doc} doc
 * @param {Picture} image
 * @param {Selection} selection
 * @param {Placing} placing
 * @returns {Doc} */
export function addPaste(doc, image, selection, placing) {
  return addEdit(doc, { kind: "paste", image, selection, placing });
}

/** The selected object takes the appearance of an object of a second image.
 * @param {Doc} doc
 * @param {Picture} image
 * @param {Selection | null} reference
 * @returns {Doc} */
export function addAppearance(doc, image, reference) {
  const selection = workedOn(doc);
  if (selection === null) return doc;
  const edit = chosenEdit(doc);
  /** @type {NewEdit} */
  const appearance = { kind: "appearance", selection, image, reference, pattern: true };
  return edit === null ? addEdit(doc, appearance) : replaceEdit(doc, edit.id, appearance);
}

/** Arrows from points to points; none deletes the edit.
 * @param {Doc} doc
 * @param {[Point, Point][]} points
 * @returns {Doc} */
export function setArrows(doc, points) {
  const edit = chosenEdit(doc);
  if (edit?.kind !== "drag") return points.length === 0 ? doc : addEdit(doc, { kind: "drag", points, selection: null });
  return points.length === 0 ? deleteEdit(doc, edit.id) : changeEdit(doc, edit.id, { points });
}

/** Where landmarks go; those that are new, or of an image without such an edit, begin where they are.
 * @param {Doc} doc
 * @param {Point[]} to  where there are more or fewer of them than before, those that stay are the same arrays
 * @returns {Doc} */
export function setLandmarks(doc, to) {
  const edit = chosenEdit(doc);
  const old = edit?.kind === "landmarks" ? edit : { from: doc.picture?.landmarks ?? [], to: doc.picture?.landmarks ?? [] };
  const isSameNumber = old.to.length === to.length;
  const from = to.map((point, k) => old.from[isSameNumber ? k : old.to.indexOf(point)] ?? point);
  if (edit?.kind !== "landmarks") return to.length === 0 ? doc : addEdit(doc, { kind: "landmarks", from, to });
  return to.length === 0 ? deleteEdit(doc, edit.id) : changeEdit(doc, edit.id, { from, to });
}

/** Once more: an object of this image is copied by pasting it beside its place; arrows and landmarks are doubled.
 * @param {Doc} doc
 * @param {number} id
 * @returns {Doc} */
export function duplicateEdit(doc, id) {
  const edit = doc.edits.find((each) => each.id === id);
  if (edit === undefined || doc.picture === null) return doc;
  if (edit.kind === "move") return addPaste(doc, doc.picture, edit.selection, beside(edit.selection, edit.placing));
  if (edit.kind === "paste") return addPaste(doc, edit.image, edit.selection, beside(edit.selection, edit.placing));
  const { id: _id, hidden: _hidden, ...rest } = edit;
  return addEdit(doc, /** @type {NewEdit} */ (rest));
}

/** The selected object a second time, beside it.
 * @param {Doc} doc
 * @returns {Doc} */
export function copySelection(doc) {
  if (doc.selection === null || doc.picture === null) return doc;
  return addPaste(doc, doc.picture, doc.selection, beside(doc.selection, UNMOVED, doc.picture.width));
}

/** @param {Selection} selection
 * @param {Placing} placing
 * @param {number} [width]  of the image; a copy that would leave it on the right goes to the left
 * @returns {Placing} */
function beside(selection, placing, width = Infinity) {
  const [x0, , x1] = selection.mask.box;
  const step = 1.15 * (x1 - x0) * placing.scale[0];
  const right = x1 + placing.offset[0] + step <= width;
  return { ...placing, offset: [placing.offset[0] + (right ? step : -step), placing.offset[1]] };
}
