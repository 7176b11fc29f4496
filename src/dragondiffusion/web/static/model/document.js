// The document: what is to be done to the picture, as values that never change; every function returns another document.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").Choices} Choices
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Placing} Placing
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Selection} Selection
 * @typedef {Edit extends infer E ? E extends Edit ? Omit<E, "id" | "hidden"> : never : never} NewEdit
 */

/** @type {Choices} */
export const CHOICES = Object.freeze({
  quality: "default",
  strength: 1,
  keep: "everything",
  seed: 42,
  tries: 1,
  prompt: "",
  negative: "",
  advanced: Object.freeze({}),
});

/** @type {Placing} */
export const UNMOVED = Object.freeze({
  offset: /** @type {Point} */ (/** @type {unknown} */ (Object.freeze([0, 0]))),
  scale: /** @type {Point} */ (/** @type {unknown} */ (Object.freeze([1, 1]))),
  angle: 0,
  flip: false,
});

/** A document without a picture.
 * @param {Choices} [choices]
 * @returns {Doc} */
export function emptyDoc(choices = CHOICES) {
  return { picture: null, selection: null, edits: [], chosen: null, choices };
}

/** Another picture, nothing done to it yet; the choices stay, the prompt is the picture's own where it has one.
 * @param {Doc} doc
 * @param {Picture} picture
 * @returns {Doc} */
export function openPicture(doc, picture) {
  return continueFrom(setChoices(doc, { prompt: picture.prompt ?? "" }), picture);
}

/** A result becomes the picture; choices stay as they are.
 * @param {Doc} doc
 * @param {Picture} picture
 * @returns {Doc} */
export function continueFrom(doc, picture) {
  return { ...emptyDoc(doc.choices), picture };
}

/** The edit that is being worked on.
 * @param {Doc} doc
 * @returns {Edit | null} */
export function chosenEdit(doc) {
  return doc.edits.find((edit) => edit.id === doc.chosen) ?? null;
}

/** The selection on the picture that is being worked on: that of the chosen edit, or the free one.
 * @param {Doc} doc
 * @returns {Selection | null} */
export function workedOn(doc) {
  const edit = chosenEdit(doc);
  if (edit === null) return doc.selection;
  return edit.kind === "paste" || edit.kind === "landmarks" ? null : edit.selection;
}

/** A thing is selected; no edit is chosen any more.
 * @param {Doc} doc
 * @param {Selection} selection
 * @returns {Doc} */
export function select(doc, selection) {
  return { ...doc, selection, chosen: null };
}

/** The selection that is worked on becomes another: by more clicks, brush or lasso.
 * @param {Doc} doc
 * @param {Selection} selection
 * @returns {Doc} */
export function correct(doc, selection) {
  const edit = chosenEdit(doc);
  if (edit === null || workedOn(doc) === null) return select(doc, selection);
  return changeEdit(doc, edit.id, { selection });
}

/** Nothing is selected or chosen.
 * @param {Doc} doc
 * @returns {Doc} */
export function clear(doc) {
  return doc.selection === null && doc.chosen === null ? doc : { ...doc, selection: null, chosen: null };
}

/** An edit more, which is chosen.
 * @param {Doc} doc
 * @param {NewEdit} edit
 * @returns {Doc} */
export function addEdit(doc, edit) {
  const id = 1 + Math.max(0, ...doc.edits.map((each) => each.id));
  const added = /** @type {Edit} */ ({ ...edit, id, hidden: false });
  return { ...doc, selection: null, edits: [...doc.edits, added], chosen: id };
}

/** The selected thing goes elsewhere: the selection turns into an edit.
 * @param {Doc} doc
 * @param {Placing} placing
 * @returns {Doc} */
export function moveSelection(doc, placing) {
  return doc.selection === null ? doc : addEdit(doc, { kind: "move", selection: doc.selection, placing });
}

/** What is worked on goes elsewhere: a chosen move or paste is changed, a selection turns into a move. An erased or
 * restyled thing that is dragged is moved besides, by an edit of its own that takes the place of the erasure.
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

/** The selected thing is erased; a chosen move turns into an erasure, any other chosen edit is deleted.
 * @param {Doc} doc
 * @returns {Doc} */
export function eraseSelection(doc) {
  const edit = chosenEdit(doc);
  if (edit?.kind === "move") return replaceEdit(doc, edit.id, { kind: "remove", selection: edit.selection });
  if (edit !== null) return deleteEdit(doc, edit.id);
  return doc.selection === null ? doc : addEdit(doc, { kind: "remove", selection: doc.selection });
}

/** A thing of a second picture is pasted; `placing` is from its place there.
 * @param {Doc} doc
 * @param {Picture} image
 * @param {Selection} selection
 * @param {Placing} placing
 * @returns {Doc} */
export function addPaste(doc, image, selection, placing) {
  return addEdit(doc, { kind: "paste", image, selection, placing });
}

/** The selected thing takes the look of a thing of a second picture.
 * @param {Doc} doc
 * @param {Picture} image
 * @param {Selection | null} reference
 * @returns {Doc} */
export function addAppearance(doc, image, reference) {
  const selection = workedOn(doc);
  if (selection === null) return doc;
  const edit = chosenEdit(doc);
  /** @type {NewEdit} */
  const look = { kind: "appearance", selection, image, reference, pattern: true };
  return edit === null ? addEdit(doc, look) : replaceEdit(doc, edit.id, look);
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

/** Where landmarks go; those that are new, or of a picture without such an edit, begin where they are.
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

/** Fields of an edit become others.
 * @param {Doc} doc
 * @param {number} id
 * @param {Object<string, unknown>} changes
 * @returns {Doc} */
export function changeEdit(doc, id, changes) {
  const edits = doc.edits.map((edit) => (edit.id === id ? /** @type {Edit} */ ({ ...edit, ...changes }) : edit));
  return { ...doc, edits };
}

/** @param {Doc} doc
 * @param {number} id
 * @param {NewEdit} edit
 * @returns {Doc} */
function replaceEdit(doc, id, edit) {
  const edits = doc.edits.map((old) => (old.id === id ? /** @type {Edit} */ ({ ...edit, id, hidden: false }) : old));
  return { ...doc, edits };
}

/** An edit is left out of the result, or is part of it again.
 * @param {Doc} doc
 * @param {number} id
 * @param {boolean} hidden
 * @returns {Doc} */
export function hideEdit(doc, id, hidden) {
  return changeEdit(doc, id, { hidden });
}

/** @param {Doc} doc
 * @param {number} id
 * @returns {Doc} */
export function deleteEdit(doc, id) {
  const edits = doc.edits.filter((edit) => edit.id !== id);
  return { ...doc, edits, chosen: doc.chosen === id ? null : doc.chosen };
}

/** Once more: a thing of this picture is copied by pasting it beside its place; arrows and landmarks are doubled.
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

/** The selected thing a second time, beside it.
 * @param {Doc} doc
 * @returns {Doc} */
export function copySelection(doc) {
  if (doc.selection === null || doc.picture === null) return doc;
  return addPaste(doc, doc.picture, doc.selection, beside(doc.selection, UNMOVED, doc.picture.width));
}

/** @param {Selection} selection
 * @param {Placing} placing
 * @param {number} [width]  of the picture; a copy that would leave it on the right goes to the left
 * @returns {Placing} */
function beside(selection, placing, width = Infinity) {
  const [x0, , x1] = selection.mask.box;
  const step = 1.15 * (x1 - x0) * placing.scale[0];
  const right = x1 + placing.offset[0] + step <= width;
  return { ...placing, offset: [placing.offset[0] + (right ? step : -step), placing.offset[1]] };
}

/** An edit is worked on, or none.
 * @param {Doc} doc
 * @param {number | null} id
 * @returns {Doc} */
export function choose(doc, id) {
  if (id !== null && !doc.edits.some((edit) => edit.id === id)) return doc;
  return { ...doc, chosen: id, selection: id === null ? doc.selection : null };
}

/** @param {Doc} doc
 * @param {Partial<Choices>} changes
 * @returns {Doc} */
export function setChoices(doc, changes) {
  return { ...doc, choices: { ...doc.choices, ...changes } };
}

/** A seed nobody chose.
 * @returns {number} */
export function newSeed() {
  return Math.floor(Math.random() * 1e6);
}

/** Whether an edit changes nothing yet: not moved, no arrow, no second thing.
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

/** Pictures and masks that showing the document needs, by name.
 * @param {Doc} doc
 * @returns {{images: Set<string>, masks: Set<string>}} */
export function namesOf(doc) {
  const images = new Set(doc.picture === null ? [] : [doc.picture.name]);
  const masks = new Set(doc.selection === null ? [] : [doc.selection.mask.name]);
  for (const edit of doc.edits) {
    if ("image" in edit) images.add(edit.image.name);
    if ("selection" in edit && edit.selection !== null) masks.add(edit.selection.mask.name);
    if (edit.kind === "appearance" && edit.reference !== null) masks.add(edit.reference.mask.name);
  }
  return { images, masks };
}
