// The document: an image and the edits of it, as values that never change; every function returns another document.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").Choices} Choices
 * @typedef {import("./types.js").Mask} Mask
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

/** A document without an image.
 * @param {Choices} [choices]
 * @param {Doc["backs"]} [backs]
 * @returns {Doc} */
export function emptyDoc(choices = CHOICES, backs = {}) {
  return { picture: null, selection: null, edits: [], chosen: null, choices, shown: null, backs };
}

/** Another image, nothing done to it yet; the choices stay, the prompt is the image's own where it has one.
 * @param {Doc} doc
 * @param {Picture} picture
 * @returns {Doc} */
export function openPicture(doc, picture) {
  return continueFrom(setChoices(doc, { prompt: picture.prompt ?? "" }), picture);
}

/** A result becomes the image; choices stay as they are.
 * @param {Doc} doc
 * @param {Picture} picture
 * @returns {Doc} */
export function continueFrom(doc, picture) {
  return { ...emptyDoc(doc.choices, doc.backs), picture };
}

/** The edit that is being worked on.
 * @param {Doc} doc
 * @returns {Edit | null} */
export function chosenEdit(doc) {
  return doc.edits.find((edit) => edit.id === doc.chosen) ?? null;
}

/** The selection on the image that is being worked on: that of the chosen edit, or the free one.
 * @param {Doc} doc
 * @returns {Selection | null} */
export function workedOn(doc) {
  const edit = chosenEdit(doc);
  if (edit === null) return doc.selection;
  return edit.kind === "paste" || edit.kind === "landmarks" ? null : edit.selection;
}

/** An object is selected; no edit is chosen any more.
 * @param {Doc} doc
 * @param {Selection} selection
 * @returns {Doc} */
export function select(doc, selection) {
  return { ...doc, selection, chosen: null };
}

/** A smaller or a larger thing that the same clicks may mean; null if there is none, or the selection was corrected by hand.
 * @param {Selection} selection
 * @param {-1 | 1} step
 * @returns {Selection | null} */
export function beside({ others = [], ...selection }, step) {
  const place = others.findIndex(({ name }) => name === selection.mask.name);
  const mask = place < 0 ? undefined : others[place + step];
  return mask === undefined ? null : { ...selection, others, mask, notes: [] }; // `found` stays, so that further clicks keep the change
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
export function replaceEdit(doc, id, edit) {
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

/** An edit is made earlier or later: those that build on each other follow the order.
 * @param {Doc} doc
 * @param {number} id
 * @param {-1 | 1} step
 * @returns {Doc}  the same where it is the first or the last already */
export function reorderEdit(doc, id, step) {
  const place = doc.edits.findIndex((edit) => edit.id === id);
  const [edit, other] = [doc.edits[place], doc.edits[place + step]];
  if (edit === undefined || other === undefined) return doc;
  return { ...doc, edits: doc.edits.map((each) => (each === edit ? other : each === other ? edit : each)) };
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

/** A result that is looked at, with the input painted back into it.
 * @param {Doc} doc
 * @param {string} job
 * @param {Mask | null} mask  where; null is nowhere
 * @returns {Doc} */
export function paintBack(doc, job, mask) {
  const { [job]: _, ...others } = doc.backs;
  return { ...doc, shown: job, backs: mask === null ? others : { ...others, [job]: mask } };
}

/** Whether two documents are the same but for the result that is looked at.
 * @param {Doc} a
 * @param {Doc} b
 * @returns {boolean} */
export function sameWork(a, b) {
  return JSON.stringify({ ...a, shown: null }) === JSON.stringify({ ...b, shown: null });
}

/** A seed nobody chose.
 * @returns {number} */
export function newSeed() {
  return Math.floor(Math.random() * 1e6);
}
