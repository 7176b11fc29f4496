// Objects drawn where they are: tinted, and their outline on the screen.

/**
 * @typedef {import("./drawing.js").Sheet} Sheet
 * @typedef {import("./scene.js").Subject} Subject
 * @typedef {import("./shapes.js").Shape} Shape
 * @typedef {import("./viewport.js").Viewport} Viewport
 */
import { about, canvasOrder, compose } from "../model/geometry.js";

/** The map of the image, or of an object at its placing, to the screen. @param {Viewport} viewport @param {Subject} [thing] */
export function toScreen({ zoom, pan }, thing) {
  const view = /** @type {import("../model/geometry.js").Affine} */ ([zoom, 0, pan[0], 0, zoom, pan[1]]);
  return thing === undefined ? view : compose(view, about(thing.mask.centroid, thing.placing));
}

/** @param {Sheet} sheet @param {Shape | null} shape @param {string} colour @param {number} opacity */
export function tint({ pen, viewport }, shape, colour, opacity) {
  if (!shape) return;
  const [x0, y0, x1, y1] = shape.box;
  const [left, top] = viewport.toScreen([x0, y0]);
  pen.globalAlpha = opacity;
  pen.drawImage(shape.tint(colour), left, top, (x1 - x0) * viewport.zoom, (y1 - y0) * viewport.zoom);
  pen.globalAlpha = 1;
}

/** The outline of an object on the screen: at its placing, or where it comes from. @param {Sheet} sheet @param {Shape} shape @param {Subject} [thing] */
export function outlineOf({ viewport }, shape, thing) {
  const path = new Path2D();
  path.addPath(shape.path, new DOMMatrix(canvasOrder(toScreen(viewport, thing))));
  return path;
}
