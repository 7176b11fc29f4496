// The scene: all that the stage shows, and its parts that can be moved.

/**
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Edit} Edit
 * @typedef {import("../model/types.js").Mask} Mask
 * @typedef {import("../model/types.js").Picture} Picture
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Box} Box
 * @typedef {{image: CanvasImageSource, box: Box}} Patch  a part of the image, and its box in full-size pixels
 *
 * @typedef {object} Scene  Everything that the stage shows.
 * @property {Doc} doc
 * @property {import("../model/types.js").Tool} tool
 * @property {number} brush  diameter in pixels of the full-size image
 * @property {number} [softness]  share of the brush's radius over which it fades, 0 to 1
 * @property {"new" | "add" | "remove"} [how]  what clicks and the lasso do without shift or alt; "new" by default
 * @property {Map<string, CanvasImageSource>} images  views of images by name
 * @property {Map<string, CanvasImageSource>} masks  grey views of masks by name
 * @property {Patch | null} preview  what the edits will come to, in the place of ghosts
 * @property {Patch | null} live  the intermediate image of the running job
 * @property {{image: CanvasImageSource, split: number} | null} compare  a result beside the image; split: 0 to 1 from the
 *   left; after that the stage's own handle moves it, until another image comes
 * @property {{original: CanvasImageSource, result: CanvasImageSource} | null} [papers]  what the tool "original" paints with
 * @property {boolean} busy  a job runs: only zoom and pan
 * @property {boolean} [still]  objects are selected and never put elsewhere
 *
 * @typedef {object} Subject  An object that can be put elsewhere: the selected one, or that of the chosen edit.
 * @property {number | null} edit  its id
 * @property {Picture} picture  where it comes from
 * @property {Mask} mask
 * @property {Placing} placing
 * @property {boolean} stays  whether it stays where it comes from, as what is pasted does
 */
import { emptyDoc } from "../model/document.js";
import { AT_HOME } from "../model/geometry.js";

/** The scene without an image. @type {Scene} */
export const NOTHING = {
  doc: emptyDoc(),
  tool: "select",
  brush: 40,
  images: new Map(),
  masks: new Map(),
  preview: null,
  live: null,
  compare: null,
  busy: false,
};

/** @param {Doc} doc @returns {Edit | null} */
export function chosenEdit(doc) {
  return doc.edits.find((edit) => edit.id === doc.chosen && !edit.hidden) ?? null;
}

/**
 * The object that can be moved, scaled and rotated: the chosen edit's object, also one that is erased, else the selected one.
 * @param {Doc} doc @returns {Subject | null}
 */
export function subjectOf(doc) {
  const { picture, selection } = doc;
  const edit = chosenEdit(doc);
  const placed = edit && placedThing(doc, edit);
  if (placed) return placed;
  if (picture && edit?.kind === "remove") {
    return { edit: edit.id, picture, mask: edit.selection.mask, placing: AT_HOME, stays: false };
  }
  if (!picture || !selection) return null;
  return { edit: null, picture, mask: selection.mask, placing: AT_HOME, stays: false };
}

/** The object that an edit puts somewhere. @param {Doc} doc @param {Edit} edit @returns {Subject | null} */
export function placedThing(doc, edit) {
  if (!doc.picture || (edit.kind !== "move" && edit.kind !== "paste")) return null;
  const picture = edit.kind === "paste" ? edit.image : doc.picture;
  return { edit: edit.id, picture, mask: edit.selection.mask, placing: edit.placing, stays: edit.kind === "paste" };
}

/** All that visible edits put somewhere. @param {Doc} doc @returns {Subject[]} */
export function placedThings(doc) {
  return doc.edits.flatMap((edit) => (edit.hidden ? [] : (placedThing(doc, edit) ?? [])));
}

/** The region of the image that an edit changes in place or takes something from. @param {Edit} edit @returns {Mask | null} */
export function regionOf(edit) {
  if (edit.kind === "landmarks" || edit.kind === "paste") return null;
  return edit.selection?.mask ?? null;
}

/**
 * The mask that brush, eraser and lasso correct: it is shown where the object comes from, whatever the edit does with it.
 * @param {Scene} scene @returns {Mask | null} null with other tools
 */
export function correctedMask({ doc, tool }) {
  if (tool !== "brush" && tool !== "eraser" && tool !== "lasso") return null;
  const edit = chosenEdit(doc);
  return edit ? regionOf(edit) : (doc.selection?.mask ?? null);
}

/** Whether a tool draws strokes with a round brush. @param {import("../model/types.js").Tool} tool */
export function paints(tool) {
  return tool === "brush" || tool === "eraser" || tool === "original";
}

/** Arrows that the tool "drag" changes. @param {Doc} doc @returns {[Point, Point][]} */
export function arrowsOf(doc) {
  const edit = chosenEdit(doc);
  return edit?.kind === "drag" ? edit.points : [];
}

/**
 * Landmarks that the tool "landmarks" changes: those of the chosen edit, else those the image came with.
 * @param {Doc} doc @returns {{from: Point[], to: Point[]}}
 */
export function landmarksOf(doc) {
  const edit = chosenEdit(doc);
  if (edit?.kind === "landmarks") return edit;
  const points = doc.picture?.landmarks ?? [];
  return { from: points, to: points };
}

/** The effect of a click while keys are held. @param {Scene} scene @param {{shiftKey: boolean, altKey: boolean}} keys @returns {"new" | "add" | "remove"} */
export function howOf(scene, { shiftKey, altKey }) {
  if (altKey) return "remove";
  return shiftKey ? "add" : (scene.how ?? "new");
}

/** Size of a view. @param {CanvasImageSource} image @returns {{width: number, height: number}} */
export function sizeOf(image) {
  if ("naturalWidth" in image) return { width: image.naturalWidth, height: image.naturalHeight };
  if ("videoWidth" in image) return { width: image.videoWidth, height: image.videoHeight };
  if ("displayWidth" in image) return { width: image.displayWidth, height: image.displayHeight };
  return { width: Number(image.width), height: Number(image.height) };
}

/** Whether the layer below what moves is unchanged. @param {Scene} before @param {Scene} scene */
export function sameGround(before, scene) {
  /** @param {Map<string, unknown>} p @param {Map<string, unknown>} q */
  const sameViews = (p, q) => p.size === q.size && [...p].every(([name, view]) => q.get(name) === view);
  const sameParts = /** @type {const} */ (["preview", "live", "compare"]).every((part) => before[part]?.image === scene[part]?.image);
  const sameWork = before.doc === scene.doc && before.tool === scene.tool;
  return sameParts && sameWork && sameViews(before.images, scene.images) && sameViews(before.masks, scene.masks);
}
