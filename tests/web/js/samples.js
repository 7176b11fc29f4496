// Documents for tests: images, masks, random sequences of what a person can do; a generator of random numbers.

import * as document from "../../../src/dragondiffusion/web/static/model/document.js";
import * as edits from "../../../src/dragondiffusion/web/static/model/edits.js";

/**
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Doc} Doc
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Mask} Mask
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Picture} Picture
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Placing} Placing
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Point} Point
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Selection} Selection
 * @typedef {() => number} Random  from 0 to below 1
 */

/** Numbers that look random, the same for the same seed.
 * @param {number} seed
 * @returns {Random} */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Freezes a value and all within it, so that changing it in place throws.
 * @template T
 * @param {T} value
 * @returns {T} */
export function frozen(value) {
  if (value !== null && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

/** @param {string} name
 * @param {Partial<Picture>} [changes]
 * @returns {Picture} */
export function picture(name = "cup.png", changes = {}) {
  return { name, title: name, width: 640, height: 480, notes: [], ...changes };
}

/** @param {string} name
 * @param {Partial<Mask>} [changes]
 * @returns {Mask} */
export function mask(name = "mask.png", changes = {}) {
  return { name, width: 640, height: 480, area: 0.1, box: [100, 100, 260, 220], centroid: [180, 160], ...changes };
}

/** @param {string} name
 * @param {Partial<Mask>} [changes]
 * @returns {Selection} */
export function selection(name = "mask.png", changes = {}) {
  const found = mask(name, changes);
  return { mask: found, found, points: [[180, 160]], outside: [] };
}

/** @param {Partial<Placing>} [changes]
 * @returns {Placing} */
export function placing(changes = {}) {
  return { offset: [40, -12.5], scale: [1, 1], angle: 0, flip: false, ...changes };
}

/** @type {((doc: Doc, random: Random) => Doc)[]} */
const OPERATIONS = [
  (doc, r) => document.select(doc, selection(`m${number(r, 5)}`)),
  (doc, r) => document.correct(doc, selection(`m${number(r, 5)}`)),
  (doc) => document.clear(doc),
  (doc, r) => edits.moveSelection(doc, somePlacing(r)),
  (doc, r) => edits.place(doc, somePlacing(r)),
  (doc) => edits.eraseSelection(doc),
  (doc, r) => edits.addPaste(doc, picture(`p${number(r, 3)}`), selection(`q${number(r, 3)}`), somePlacing(r)),
  (doc, r) => edits.addAppearance(doc, picture(`p${number(r, 3)}`), r() < 0.5 ? null : selection("like")),
  (doc, r) => edits.setArrows(doc, r() < 0.2 ? [] : [[point(r), point(r)]]),
  (doc, r) => edits.setLandmarks(doc, Array.from({ length: number(r, 4) }, () => point(r))),
  (doc, r) => document.hideEdit(doc, someId(doc, r), r() < 0.5),
  (doc, r) => document.deleteEdit(doc, someId(doc, r)),
  (doc, r) => edits.duplicateEdit(doc, someId(doc, r)),
  (doc) => edits.copySelection(doc),
  (doc, r) => document.choose(doc, r() < 0.3 ? null : someId(doc, r)),
  (doc, r) => document.changeEdit(doc, someId(doc, r), { hidden: r() < 0.5 }),
  (doc, r) => document.setChoices(doc, { seed: number(r, 1000), keep: "most" }),
  (doc, r) => (r() < 0.1 ? document.openPicture(doc, picture(`other${number(r, 3)}`)) : doc),
  (doc, r) => (r() < 0.1 ? document.continueFrom(doc, picture("result.png")) : doc),
];

/** One action of a person on a document.
 * @param {Doc} doc
 * @param {Random} r
 * @returns {Doc} */
export function someChange(doc, r) {
  const operation = OPERATIONS[number(r, OPERATIONS.length)];
  return operation === undefined ? doc : operation(doc, r);
}

/** @param {Random} r
 * @param {number} below
 * @returns {number} */
export function number(r, below) {
  return Math.floor(r() * below);
}

/** @param {Random} r
 * @returns {Point} */
function point(r) {
  return [number(r, 640), number(r, 480)];
}

/** @param {Random} r
 * @returns {Placing} */
export function somePlacing(r) {
  return { offset: [number(r, 200) - 100, number(r, 200) - 100], scale: [1 + number(r, 3), 1], angle: number(r, 360), flip: r() < 0.5 };
}

/** @param {Doc} doc
 * @param {Random} r
 * @returns {number} */
function someId(doc, r) {
  return doc.edits[number(r, doc.edits.length)]?.id ?? 1;
}
