// Undo and redo: stacks of documents, a running gesture counted as one entry.

/**
 * @typedef {import("./types.js").Doc} Doc
 *
 * @typedef {object} History  Never changed in place.
 * @property {readonly Doc[]} past  oldest first
 * @property {Doc} present
 * @property {readonly Doc[]} future  next first
 * @property {string | null} gesture  what is going on; changes of the same gesture are one entry
 */

/** How many steps back there are at most. */
export const LIMIT = 200;

/** @param {Doc} doc
 * @returns {History} */
export function begin(doc) {
  return { past: [], present: doc, future: [], gesture: null };
}

/** A finished change.
 * @param {History} history
 * @param {Doc} doc
 * @returns {History} */
export function push(history, doc) {
  if (doc === history.present) return settle(history);
  const past = [...history.past, history.present].slice(-LIMIT);
  return { past, present: doc, future: [], gesture: null };
}

/** A change while a gesture runs: the first makes an entry, the following ones replace it.
 * @param {History} history
 * @param {Doc} doc
 * @param {string} gesture
 * @returns {History} */
export function during(history, doc, gesture) {
  if (history.gesture === gesture) return { ...history, present: doc, future: [] };
  const pushed = push(history, doc);
  return pushed.present === history.present && pushed.past === history.past ? pushed : { ...pushed, gesture };
}

/** The last change of a gesture.
 * @param {History} history
 * @param {Doc} doc
 * @param {string} gesture
 * @returns {History} */
export function finish(history, doc, gesture) {
  return settle(during(history, doc, gesture));
}

/** The gesture is over; its entry stays.
 * @param {History} history
 * @returns {History} */
export function settle(history) {
  return history.gesture === null ? history : { ...history, gesture: null };
}

/** The gesture is called off: all is as before it.
 * @param {History} history
 * @returns {History} */
export function callOff(history) {
  if (history.gesture === null) return history;
  const before = /** @type {Doc} */ (history.past[history.past.length - 1]);
  return { past: history.past.slice(0, -1), present: before, future: [], gesture: null };
}

/** @param {History} history
 * @returns {History} */
export function undo(history) {
  const before = history.past[history.past.length - 1];
  if (before === undefined) return settle(history);
  const future = [history.present, ...history.future];
  return { past: history.past.slice(0, -1), present: before, future, gesture: null };
}

/** @param {History} history
 * @returns {History} */
export function redo(history) {
  const [after, ...future] = history.future;
  if (after === undefined) return settle(history);
  return { past: [...history.past, history.present], present: after, future, gesture: null };
}

/** @param {History} history
 * @returns {boolean} */
export function canUndo(history) {
  return history.past.length > 0;
}

/** @param {History} history
 * @returns {boolean} */
export function canRedo(history) {
  return history.future.length > 0;
}

/** The documents, each as a function makes it; those it gives null for, and repetitions, are left out.
 * @param {History} history
 * @param {(doc: Doc) => Doc | null} change
 * @param {Doc} otherwise  the present, if there is none left
 * @returns {History} */
export function changed({ past, present, future }, change, otherwise) {
  const [now, ...before] = distinct([present, ...[...past].reverse()].flatMap((doc) => change(doc) ?? []));
  const after = distinct([...(now === undefined ? [] : [now]), ...future.flatMap((doc) => change(doc) ?? [])]);
  return { past: before.reverse(), present: now ?? after[0] ?? otherwise, future: after.slice(1), gesture: null };
}

/** @param {Doc[]} docs
 * @returns {Doc[]} */
function distinct(docs) {
  const texts = docs.map((doc) => JSON.stringify(doc));
  return docs.filter((_, k) => k === 0 || texts[k] !== texts[k - 1]);
}
