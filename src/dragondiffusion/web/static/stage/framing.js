// Frame and handles of the current object, in screen coordinates.

/**
 * @typedef {import("./scene.js").Subject} Subject
 * @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("../model/geometry.js").Quad} Quad
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/geometry.js").Side} Side
 * @typedef {{quad: Quad, handles: import("../model/geometry.js").Handle[]}} Framing
 */
import { SIDES, about, clamp, grownQuad, handlesOf, mappedCorners } from "../model/geometry.js";

/** CSS pixels between an object and its frame. */
const PADDING = 8;

/** CSS pixels from the frame to the handle to rotate. */
const STEM = 34;

/** How far from a handle a press still takes hold of it, CSS pixels. */
export const REACH = { fine: 14, coarse: 24 };

/** How far the middle of a handle stays from the border of what is seen, CSS pixels: no part of it is cut. */
const INSET = { handle: 8, knob: 14 };

/**
 * The frame of an object, and its handles where they can be reached: those that would stand outside of the view, or below what
 * covers it, stand at its border.
 * @param {Viewport} viewport @param {Subject} thing @param {Side} side where the handle to rotate stands @returns {Framing}
 */
export function framing(viewport, { mask, placing }, side) {
  const corners = mappedCorners(mask.box, about(mask.centroid, placing));
  const quad = grownQuad(/** @type {Quad} */ (corners.map((p) => viewport.toScreen(p))), PADDING);
  return { quad, handles: handlesOf(quad, STEM, side, (at) => kept(viewport, at, INSET.handle)) };
}

/** The place nearest to a point that is seen. @param {Viewport} viewport @param {Point} at @param {number} inset @returns {Point} */
function kept({ view, room }, [x, y], inset) {
  return [clamp(x, inset, view.width - inset), clamp(y, room.top + inset, room.top + room.height - inset)];
}

/** The side of its frame at which the handle to rotate can be seen and reached, above it if it can be there. @param {Viewport} viewport @param {Subject} thing @returns {Side} */
export function sideOfKnob(viewport, thing) {
  const isSeen = (/** @type {Side} */ side) => {
    const { at } = framing(viewport, thing, side).handles[4];
    const [x, y] = kept(viewport, at, INSET.knob);
    return x === at[0] && y === at[1];
  };
  return SIDES.find(isSeen) ?? "within";
}
