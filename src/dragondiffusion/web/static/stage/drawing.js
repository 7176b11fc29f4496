// Draws a scene: image, ghosts, preview, outlines, handles, arrows, landmarks, comparison.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Box} Box
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./scene.js").Subject} Subject
 * @typedef {import("../gestures/interaction.js").Interaction} Interaction
 * @typedef {import("./shapes.js").Shapes} Shapes
 * @typedef {import("./shapes.js").Shape} Shape
 * @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {CanvasRenderingContext2D} Pen
 *
 * @typedef {object} Sheet  Where and how is drawn.
 * @property {Pen} pen  in CSS pixels times `ratio`
 * @property {number} ratio  pixels of the canvas in a CSS pixel
 * @property {Viewport} viewport
 * @property {import("./primitives.js").Theme} theme
 * @property {Shapes} shapes
 * @property {boolean} calm  whether nothing moves, so that there is time for the better resampling
 */
import { canvasOrder, middle, samePlacing, AT_HOME } from "../model/geometry.js";
import { outlineOf, tint, toScreen } from "./outlines.js";
import * as primitives from "./primitives.js";
import { framing } from "./framing.js";
import { arrowsOf, chosenEdit, correctedMask, landmarksOf, paints, placedThings, regionOf, sizeOf, subjectOf } from "./scene.js";

/** From this many CSS pixels a view's pixel on, pixels are shown as squares. */
const SQUARES_FROM = 4;

/** Opacity of an object that is carried. */
const GHOST = 0.82;

/** The layer below: what does not change during a gesture. @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction */
export function drawGround(sheet, scene, interaction) {
  const { pen, ratio, viewport, theme } = sheet;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = theme.backdrop;
  pen.fillRect(0, 0, viewport.view.width, viewport.view.height);
  const { picture } = scene.doc;
  if (!picture) return;
  const image = scene.images.get(picture.name);
  primitives.checker(pen, seenBox(viewport), theme, 10);
  if (image) drawImage(sheet, image, [0, 0, picture.width, picture.height]);
  if (scene.compare) return;
  if (scene.live) return drawLive(sheet, scene.live);
  const preview = correctedMask(scene) ? null : previewOf(scene, interaction);
  if (preview) drawImage(sheet, preview.image, preview.box);
  else drawChanges(sheet, scene, interaction);
}

/** The layer above: what changes during a gesture. @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction @param {number} phase of what walks, 0 to 59 */
export function drawOver(sheet, scene, interaction, phase) {
  const { pen, ratio } = sheet;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (!scene.doc.picture) return;
  if (scene.compare) return drawComparison(sheet, scene.compare, interaction);
  if (scene.live) return;
  drawRegions(sheet, scene);
  const corrected = correctedMask(scene);
  if (corrected) drawCorrected(sheet, scene, corrected, phase);
  else drawSubject(sheet, scene, interaction, phase);
  drawArrows(sheet, scene, interaction);
  drawLandmarks(sheet, scene, interaction);
  drawPainting(sheet, scene, interaction);
  drawBand(sheet, interaction, phase);
  drawPointers(sheet, scene, interaction);
  if (interaction.asked) primitives.ripple(pen, sheet.viewport.toScreen(interaction.asked), phase / 60, sheet.theme);
}

/** The preview, unless it no longer fits. @param {Scene} scene @param {Interaction} interaction */
export function previewOf(scene, interaction) {
  const { preview, doc } = scene;
  const stale = interaction.stale?.image === preview?.image && (interaction.placing !== null || interaction.stale?.edits !== doc.edits);
  return stale ? null : preview;
}

/** The part of the view that the image covers. @param {Viewport} viewport @returns {Box} */
function seenBox(viewport) {
  const [x0, y0] = viewport.toScreen([0, 0]);
  const [x1, y1] = viewport.toScreen([viewport.picture.width, viewport.picture.height]);
  return [Math.max(x0, 0), Math.max(y0, 0), Math.min(x1, viewport.view.width), Math.min(y1, viewport.view.height)];
}

/** @param {Sheet} sheet @param {CanvasImageSource} image @param {Box} box full-size pixels */
function drawImage({ pen, viewport, calm }, image, [x0, y0, x1, y1]) {
  const [left, top] = viewport.toScreen([x0, y0]);
  const [right, bottom] = viewport.toScreen([x1, y1]);
  pen.imageSmoothingEnabled = (right - left) / Math.max(sizeOf(image).width, 1) < SQUARES_FROM;
  pen.imageSmoothingQuality = calm ? "high" : "low";
  pen.drawImage(image, left, top, right - left, bottom - top);
}

/** @param {Sheet} sheet @param {import("./scene.js").Patch} live */
function drawLive(sheet, { image, box }) {
  drawImage(sheet, image, box);
  const { pen, viewport, theme } = sheet;
  const [[x0, y0], [x1, y1]] = [viewport.toScreen([box[0], box[1]]), viewport.toScreen([box[2], box[3]])];
  const path = new Path2D();
  path.rect(x0, y0, x1 - x0, y1 - y0);
  primitives.twoTone(pen, path, theme.accent, theme.shade, 1.5);
}

/** Holes and ghosts of all edits but the current object's. @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction */
function drawChanges(sheet, scene, interaction) {
  const { doc } = scene;
  const corrected = correctedMask(scene);
  for (const edit of doc.edits) {
    if (corrected && edit.id === doc.chosen) continue;
    const leaves = !edit.hidden && (edit.kind === "remove" || edit.kind === "move") ? regionOf(edit) : null;
    if (leaves) tint(sheet, sheet.shapes.get(leaves, scene.masks), sheet.theme.shade, 1);
  }
  const subject = subjectOf(doc);
  if (subject?.edit === null && interaction.placing) tint(sheet, sheet.shapes.get(subject.mask, scene.masks), sheet.theme.shade, 1);
  for (const thing of placedThings(doc)) if (thing.edit !== subject?.edit) drawGhost(sheet, scene, thing, GHOST);
}

/** An object at its placing, cut out of its image. @param {Sheet} sheet @param {Scene} scene @param {Subject} thing @param {number} opacity */
function drawGhost(sheet, scene, thing, opacity) {
  const { pen, viewport, shapes } = sheet;
  const [image, shape] = [scene.images.get(thing.picture.name), shapes.get(thing.mask, scene.masks)];
  if (!image || !shape) return;
  const [x0, y0, x1, y1] = shape.box;
  const [left, top, right, bottom] = seenBox(viewport);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, right - left, bottom - top);
  pen.clip();
  pen.transform(...canvasOrder(toScreen(viewport, thing)));
  pen.globalAlpha = opacity;
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "low";
  pen.drawImage(shape.cutout(image), x0, y0, x1 - x0, y1 - y0);
  pen.restore();
}

/** Outlines of edits other than the current one. @param {Sheet} sheet @param {Scene} scene */
function drawRegions(sheet, scene) {
  const { doc } = scene;
  const { pen, theme, shapes } = sheet;
  const subject = subjectOf(doc);
  for (const thing of placedThings(doc)) {
    const shape = shapes.get(thing.mask, scene.masks);
    if (shape && thing.edit !== subject?.edit) primitives.twoTone(pen, outlineOf(sheet, shape, thing), theme.ink, theme.shade, 1.25);
  }
  for (const edit of doc.edits) {
    const region = edit.hidden || edit.kind === "move" ? null : regionOf(edit);
    const shape = region && shapes.get(region, scene.masks);
    if (!shape || region === correctedMask(scene)) continue;
    const colour = edit.kind === "remove" ? theme.danger : theme.ink;
    primitives.twoTone(pen, outlineOf(sheet, shape), colour, theme.shade, edit.id === doc.chosen ? 2.25 : 1.25);
  }
}

/** The current object: ghost or tint, outline, handles. @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction @param {number} phase */
function drawSubject(sheet, scene, interaction, phase) {
  const subject = subjectOf(scene.doc);
  if (!subject) return;
  const { pen, theme, shapes } = sheet;
  const thing = { ...subject, placing: interaction.placing ?? subject.placing };
  const shape = shapes.get(subject.mask, scene.masks);
  const erased = !interaction.placing && chosenEdit(scene.doc)?.kind === "remove";
  const selected = subject.edit === null && !interaction.placing;
  if (selected) tint(sheet, shape, theme.accent, 0.3);
  else if (!erased && !previewOf(scene, interaction)) {
    drawGhost(sheet, scene, thing, GHOST);
    if (!subject.stays && !samePlacing(thing.placing, AT_HOME)) drawTrail(sheet, shape);
  }
  if (shape) primitives.ants(pen, outlineOf(sheet, shape, thing), erased ? { ...theme, accent: theme.danger } : theme, phase);
  if (scene.tool !== "select" || scene.busy || scene.still) return;
  const { quad, handles } = framing(sheet.viewport, thing, interaction.knob);
  if (interaction.reading?.what !== "move") primitives.frame(pen, quad, handles, theme, interaction.coarse); // a moved object is seen best bare
  if (interaction.reading?.text) primitives.reading(pen, interaction.reading.text, middle(quad[0], quad[2]), theme);
}

/** The object whose mask is corrected, where it comes from. @param {Sheet} sheet @param {Scene} scene @param {import("../model/types.js").Mask} mask @param {number} phase */
function drawCorrected(sheet, scene, mask, phase) {
  const { pen, theme, shapes } = sheet;
  const shape = shapes.get(mask, scene.masks);
  if (!shape) return;
  tint(sheet, shape, theme.accent, 0.35);
  primitives.ants(pen, outlineOf(sheet, shape), theme, phase);
}

/** A thin outline of the place that is left. @param {Sheet} sheet @param {Shape | null} shape */
function drawTrail(sheet, shape) {
  if (!shape) return;
  const { pen, theme } = sheet;
  pen.save();
  pen.setLineDash([2, 4]);
  primitives.twoTone(pen, outlineOf(sheet, shape), theme.ink, theme.shade, 1);
  pen.restore();
}

/** @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction */
function drawArrows({ pen, viewport, theme }, scene, interaction) {
  const chosen = chosenEdit(scene.doc);
  for (const edit of scene.doc.edits) {
    if (edit.hidden || edit.kind !== "drag" || edit === chosen) continue;
    const look = { colour: theme.ink, focused: false };
    for (const [p, q] of edit.points) primitives.arrow(pen, viewport.toScreen(p), viewport.toScreen(q), theme, look);
  }
  (interaction.arrows ?? arrowsOf(scene.doc)).forEach(([p, q], i) => {
    const look = { colour: theme.accent, focused: scene.tool === "drag" && interaction.focus === i };
    primitives.arrow(pen, viewport.toScreen(p), viewport.toScreen(q), theme, look);
  });
  if (interaction.tail && interaction.crosshair) {
    const look = { colour: theme.accent, focused: true };
    primitives.arrow(pen, viewport.toScreen(interaction.tail), viewport.toScreen(interaction.crosshair), theme, look);
  }
}

/** @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction */
function drawLandmarks({ pen, viewport, theme }, scene, interaction) {
  if (scene.tool !== "landmarks" && chosenEdit(scene.doc)?.kind !== "landmarks") return;
  const { from, to } = landmarksOf(scene.doc);
  (interaction.landmarks ?? to).forEach((point, i) => {
    const [p, q] = [viewport.toScreen(from[i] ?? point), viewport.toScreen(point)];
    primitives.landmark(pen, p, q, theme, scene.tool === "landmarks" && interaction.focus === i);
  });
}

/** @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction */
function drawPainting(sheet, scene, { painting }) {
  const { picture } = scene.doc;
  if (!painting || !picture) return;
  const { pen, viewport, theme } = sheet;
  const cut = painting.cut();
  pen.globalAlpha = cut ? 1 : 0.45;
  drawImage(sheet, cut ?? painting.canvas, [0, 0, picture.width, picture.height]);
  pen.globalAlpha = 1;
  if (painting.kind !== "lasso") return;
  const path = new Path2D();
  for (const point of painting.points) path.lineTo(...viewport.toScreen(point));
  pen.setLineDash([5, 4]);
  primitives.twoTone(pen, path, theme.ink, theme.shade, 1.5);
  pen.setLineDash([]);
}

/** @param {Sheet} sheet @param {Interaction} interaction @param {number} phase */
function drawBand({ pen, viewport, theme }, { box }, phase) {
  if (!box) return;
  const [[x0, y0], [x1, y1]] = [viewport.toScreen([box[0], box[1]]), viewport.toScreen([box[2], box[3]])];
  const path = new Path2D();
  path.rect(x0, y0, x1 - x0, y1 - y0);
  pen.globalAlpha = 0.12;
  pen.fillStyle = theme.accent;
  pen.fill(path);
  pen.globalAlpha = 1;
  primitives.ants(pen, path, theme, phase);
}

/** Brush and crosshair. @param {Sheet} sheet @param {Scene} scene @param {Interaction} interaction */
function drawPointers({ pen, viewport, theme }, scene, { pointer, crosshair }) {
  const colour = scene.tool === "eraser" ? theme.danger : theme.accent;
  const at = crosshair ? viewport.toScreen(crosshair) : pointer;
  if (paints(scene.tool) && at && !scene.busy) primitives.brushRing(pen, at, (scene.brush * viewport.zoom) / 2, theme, colour);
  if (crosshair) primitives.crosshair(pen, viewport.toScreen(crosshair), theme);
}

/** @param {Sheet} sheet @param {{image: CanvasImageSource, split: number}} compare @param {Interaction} interaction */
function drawComparison(sheet, compare, interaction) {
  const { pen, viewport, theme } = sheet;
  const { width, height } = viewport.picture;
  const split = interaction.split ?? compare.split;
  const [[x], [left, top, right, bottom]] = [viewport.toScreen([split * width, 0]), seenBox(viewport)];
  pen.save();
  pen.beginPath();
  pen.rect(x, top, Math.max(right - x, 0), bottom - top);
  pen.clip();
  drawImage(sheet, compare.image, [0, 0, width, height]);
  pen.restore();
  primitives.divider(pen, x, [top, bottom], (top + bottom) / 2, theme);
  if (x - left > 72) primitives.chip(pen, "Before", [left + 8, top + 8], "left", theme);
  if (right - x > 72) primitives.chip(pen, "After", [right - 8, top + 8], "right", theme);
}
