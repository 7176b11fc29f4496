// Frame and handles of the current object, in screen coordinates.

/**
 * @typedef {import("./scene.js").Subject} Subject
 * @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("../model/geometry.js").Quad} Quad
 * @typedef {{quad: Quad, handles: import("../model/geometry.js").Handle[]}} Framing
 */
import { about, grownQuad, handlesOf, mappedCorners } from "../model/geometry.js";

/** CSS pixels between an object and its frame. */
const PADDING = 8;

/** CSS pixels from the frame to the handle to rotate. */
const STEM = 34;

/** How far from a handle a press still takes hold of it, CSS pixels. */
export const REACH = { fine: 14, coarse: 24 };

/** @param {Viewport} viewport @param {Subject} thing @param {boolean} below whether the handle to rotate stands below @returns {Framing} */
export function framing(viewport, { mask, placing }, below) {
  const corners = mappedCorners(mask.box, about(mask.centroid, placing));
  const quad = grownQuad(/** @type {Quad} */ (corners.map((p) => viewport.toScreen(p))), PADDING);
  return { quad, handles: handlesOf(quad, STEM, below) };
}

/** Whether the handle to rotate is better placed below the frame: above it would lie outside of the view. @param {Viewport} viewport @param {Subject} thing */
export function standsBelow(viewport, thing) {
  const { view } = viewport;
  /** @param {boolean} below */
  const seen = (below) => {
    const [x, y] = framing(viewport, thing, below).handles[4].at;
    return x >= 12 && y >= 12 && x <= view.width - 12 && y <= view.height - 12;
  };
  return !seen(false) && seen(true);
}
