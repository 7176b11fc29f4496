// Affine maps of the image plane, and what a pull at a handle or a pinch does to the placing of an object.

/**
 * Convention: that of the package's `Affine.about`: the object is mirrored, scaled, turned about the anchor, displaced; x to
 * the right, y down; positive angles turn counter-clockwise as seen on the screen.
 *
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Placing} Placing
 * @typedef {{width: number, height: number}} Size
 * @typedef {[number, number, number, number, number, number]} Affine  (a, b, c, d, e, f): x' = a x + b y + c, y' = d x + e y + f
 * @typedef {[Point, Point, Point, Point]} Quad  corners: top left, top right, bottom right, bottom left before the turn
 * @typedef {"nw" | "ne" | "se" | "sw" | "n" | "e" | "s" | "w" | "rotate"} HandleName
 * @typedef {{name: HandleName, at: Point}} Handle
 * @typedef {"n" | "s" | "e" | "w" | "within"} Side
 */

/** Factors of size that gestures can reach. */
export const SCALES = { smallest: 0.05, largest: 20 };

/** Step of turns with shift, degrees. */
export const TURN_STEP = 15;

/** @type {Placing} */
export const AT_HOME = Object.freeze({
  offset: /** @type {Point} */ ([0, 0]),
  scale: /** @type {Point} */ ([1, 1]),
  angle: 0,
  flip: false,
});

/**
 * The map that flips, scales, then turns about `anchor`, and moves by the offset.
 * @param {Point} anchor @param {Placing} placing @returns {Affine}
 */
export function about([x, y], { offset, scale, angle, flip }) {
  const turn = (angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [sx, sy] = [flip ? -scale[0] : scale[0], scale[1]];
  const [a, b, d, e] = [cos * sx, sin * sy, -sin * sx, cos * sy];
  return [a, b, x - a * x - b * y + offset[0], d, e, y - d * x - e * y + offset[1]];
}

/** @param {Affine} map @param {Point} point @returns {Point} */
export function apply([a, b, c, d, e, f], [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** The map that applies `first`, then `then`. @param {Affine} then @param {Affine} first @returns {Affine} */
export function compose([a, b, c, d, e, f], [g, h, i, j, k, m]) {
  return [a * g + b * j, a * h + b * k, a * i + b * m + c, d * g + e * j, d * h + e * k, d * i + e * m + f];
}

/** The map that undoes this one. @param {Affine} map @returns {Affine} @throws {RangeError} if it is singular */
export function inverse([a, b, c, d, e, f]) {
  const det = a * e - b * d;
  if (!(Math.abs(det) > 1e-12)) throw new RangeError("the map has no inverse; use scales away from 0");
  const [p, q, r, s] = [e / det, -b / det, -d / det, a / det];
  return [p, q, -(p * c + q * f), r, s, -(r * c + s * f)];
}

/** The same map in the order of a canvas's setTransform. @param {Affine} map @returns {[number, number, number, number, number, number]} */
export function canvasOrder([a, b, c, d, e, f]) {
  return [a, d, b, e, c, f];
}

/** @param {Point} a @param {Point} b @returns {Point} */
export const plus = (a, b) => [a[0] + b[0], a[1] + b[1]];

/** @param {Point} a @param {Point} b @returns {Point} */
export const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];

/** @param {Point} a @param {Point} b */
export const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** @param {Point} a @param {Point} b @returns {Point} */
export const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The nearest point of an image. @param {Point} point @param {Size} size @returns {Point} */
export function clampPoint([x, y], { width, height }) {
  return [clamp(x, 0, width), clamp(y, 0, height)];
}

/** An angle from above -180 to 180 degrees. @param {number} angle */
export function wrapAngle(angle) {
  const turned = ((angle % 360) + 360) % 360;
  return turned > 180 ? turned - 360 : turned;
}

/** The box between two corners, cut to the image. @param {Point} p @param {Point} q @param {Size} size @returns {Box} */
export function boxBetween(p, q, size) {
  const [[px, py], [qx, qy]] = [clampPoint(p, size), clampPoint(q, size)];
  return [Math.min(px, qx), Math.min(py, qy), Math.max(px, qx), Math.max(py, qy)];
}

/** Corners of a box after a map. @param {Box} box @param {Affine} map @returns {Quad} */
export function mappedCorners([x0, y0, x1, y1], map) {
  return [apply(map, [x0, y0]), apply(map, [x1, y0]), apply(map, [x1, y1]), apply(map, [x0, y1])];
}

/**
 * A quad whose sides are pushed outwards.
 * @param {Quad} quad a parallelogram, sides longer than 0
 * @param {number} by in the units of the quad
 * @returns {Quad}
 */
export function grownQuad(quad, by) {
  const [tl, tr, , bl] = quad;
  const [u, v] = [unit(minus(tr, tl)), unit(minus(bl, tl))];
  /** @param {Point} p @param {number} i @param {number} j @returns {Point} */
  const pushed = (p, i, j) => [p[0] + by * (i * u[0] + j * v[0]), p[1] + by * (i * u[1] + j * v[1])];
  return [pushed(tl, -1, -1), pushed(tr, 1, -1), pushed(quad[2], 1, 1), pushed(bl, -1, 1)];
}

/** @param {Point} vector @returns {Point} */
function unit([x, y]) {
  const length = Math.hypot(x, y);
  return length > 0 ? [x / length, y / length] : [0, 0];
}

/** Sides of a frame shorter than this have no handle of their own, CSS pixels. */
const EDGES_FROM = 64;

/** Sides at which the handle to rotate may stand, the first that suits; the last is below the top, within the frame. */
export const SIDES = /** @type {Side[]} */ (["n", "s", "e", "w", "within"]);

/**
 * The four corners, the handle to rotate, and those of the sides that are long enough.
 * @param {Quad} quad the frame, on the screen
 * @param {number} stem how far the handle to rotate stands off
 * @param {Side} side where it stands
 * @param {(at: Point) => Point} [kept] where a corner's handle stands instead, as one outside of the view does
 * @returns {Handle[]}
 */
export function handlesOf(quad, stem, side, kept = (at) => at) {
  const [tl, tr, br, bl] = /** @type {Quad} */ (quad.map(kept));
  const edges = /** @type {const} */ ([["n", tl, tr], ["e", tr, br], ["s", bl, br], ["w", tl, bl]]);
  const place = Math.max(["n", "e", "s", "w"].indexOf(side), 0);
  const [foot, other] = [edges[place], edges[(place + 2) % 4]].map(([, p, q]) => middle(p, q));
  const [out, off] = [unit(minus(foot, other)), side === "within" ? -stem : stem];
  /** @type {Handle[]} */
  const corners = [{ name: "nw", at: tl }, { name: "ne", at: tr }, { name: "se", at: br }, { name: "sw", at: bl }];
  const long = edges.filter(([, p, q]) => distance(p, q) >= EDGES_FROM).map(([name, p, q]) => ({ name, at: middle(p, q) }));
  return [...corners, { name: "rotate", at: [foot[0] + off * out[0], foot[1] + off * out[1]] }, ...long];
}

/**
 * The handle at a point. Within the frame the middle belongs to the object, however small it is.
 * @param {Point} point @param {Handle[]} handles @param {Quad} quad @param {number} reach
 * @returns {Handle | null}
 */
export function handleAt(point, handles, quad, reach) {
  const centre = middle(quad[0], quad[2]);
  const limit = insideQuad(point, quad) ? Math.min(reach, distance(point, centre)) : reach;
  /** @type {Handle | null} */
  let nearest = null;
  for (const handle of handles) {
    const away = distance(point, handle.at);
    if (away <= limit && (!nearest || away < distance(point, nearest.at))) nearest = handle;
  }
  return nearest;
}

/** Whether a point lies in a convex quad. @param {Point} point @param {Quad} quad */
export function insideQuad(point, quad) {
  const sides = quad.map((p, i) => {
    const q = quad[(i + 1) % 4];
    return (q[0] - p[0]) * (point[1] - p[1]) - (q[1] - p[1]) * (point[0] - p[0]);
  });
  return sides.every((side) => side >= 0) || sides.every((side) => side <= 0);
}

/** How far a point is from a piece of line. @param {Point} point @param {Point} p @param {Point} q */
export function distanceToSegment(point, p, q) {
  const [along, to] = [minus(q, p), minus(point, p)];
  const length = along[0] ** 2 + along[1] ** 2;
  const t = length > 0 ? clamp((to[0] * along[0] + to[1] * along[1]) / length, 0, 1) : 0;
  return distance(point, [p[0] + t * along[0], p[1] + t * along[1]]);
}

/** Moved by a pull. @param {Placing} placing @param {Point} from @param {Point} to @returns {Placing} */
export function moved(placing, from, to) {
  return { ...placing, offset: plus(placing.offset, minus(to, from)) };
}

/** Another size about the anchor. @param {Placing} placing @param {Point} factors along x and y of the object @returns {Placing} */
export function scaled(placing, [fx, fy]) {
  const { smallest, largest } = SCALES;
  const [sx, sy] = placing.scale;
  if (fx !== fy) return { ...placing, scale: [clamp(sx * fx, smallest, largest), clamp(sy * fy, smallest, largest)] };
  const factor = clamp(fx, smallest / Math.min(sx, sy), largest / Math.max(sx, sy)); // keeps the proportions
  return { ...placing, scale: [sx * factor, sy * factor] };
}

/** What stays where it is while a handle is pulled: the opposite corner, or the middle of the opposite side. @param {HandleName} name @param {Box} box of the object @returns {Point} */
export function opposite(name, [x0, y0, x1, y1]) {
  const x = name.includes("e") ? x0 : name.includes("w") ? x1 : (x0 + x1) / 2;
  const y = name.includes("s") ? y0 : name.includes("n") ? y1 : (y0 + y1) / 2;
  return [x, y];
}

/**
 * Pulling a handle: another scale, by how far the pointer went from what stays. "both": uniform, along the ray from there
 * to where it began; "each": a factor for each axis of the object; "x", "y": along one of them only.
 * @param {Placing} placing when the pull began
 * @param {Point} anchor of the object, where it comes from
 * @param {Point} fixed what stays where it is, where it comes from
 * @param {Point} from @param {Point} to @param {"both" | "each" | "x" | "y"} axes
 * @returns {Placing}
 */
export function pulled(placing, anchor, fixed, from, to, axes) {
  const still = apply(about(anchor, placing), fixed);
  const upright = inverse(about([0, 0], { ...AT_HOME, angle: placing.angle }));
  const [p, q] = [apply(upright, minus(from, still)), apply(upright, minus(to, still))];
  /** @param {number} begun @param {number} now */
  const ratio = (begun, now) => (Math.abs(begun) > 1e-6 ? Math.max(now / begun, 0) : 1);
  const along = ratio(p[0] ** 2 + p[1] ** 2, p[0] * q[0] + p[1] * q[1]);
  /** @type {Point} */
  const factors = axes === "both" ? [along, along] : [axes === "y" ? 1 : ratio(p[0], q[0]), axes === "x" ? 1 : ratio(p[1], q[1])];
  const resized = scaled(placing, factors);
  return { ...resized, offset: plus(resized.offset, minus(still, apply(about(anchor, resized), fixed))) };
}

/**
 * Pulling the handle to rotate.
 * @param {Placing} placing when the pull began
 * @param {Point} anchor @param {Point} from @param {Point} to
 * @param {boolean} inSteps whether the angle becomes a multiple of 15 degrees
 * @returns {Placing}
 */
export function turned(placing, anchor, from, to, inSteps) {
  const centre = plus(anchor, placing.offset);
  const angle = placing.angle + bearing(centre, to) - bearing(centre, from);
  return { ...placing, angle: wrapAngle(inSteps ? Math.round(angle / TURN_STEP) * TURN_STEP : angle) };
}

/** The angle, or what is near to it: upright, lying, or as it was. @param {number} angle @param {number} before @param {number} slack degrees */
export function caughtAngle(angle, before, slack) {
  const upright = wrapAngle(Math.round(angle / 90) * 90);
  return [before, upright].find((caught) => Math.abs(wrapAngle(angle - caught)) <= slack) ?? angle;
}

/** Direction from one point to another, degrees counter-clockwise from the right. @param {Point} p @param {Point} q */
export function bearing(p, q) {
  return (Math.atan2(p[1] - q[1], q[0] - p[0]) * 180) / Math.PI;
}

/**
 * Two fingers: the object follows them.
 * @param {Placing} placing when the pinch began
 * @param {Point} anchor
 * @param {[Point, Point]} from the fingers when it began @param {[Point, Point]} to
 * @returns {Placing}
 */
export function pinched(placing, anchor, from, to) {
  const spread = distance(from[0], from[1]);
  const factor = spread > 0 ? distance(to[0], to[1]) / spread : 1;
  const resized = scaled(placing, [factor, factor]);
  const turn = bearing(to[0], to[1]) - bearing(from[0], from[1]);
  const grown = resized.scale[0] / placing.scale[0];
  const arm = minus(plus(anchor, placing.offset), middle(from[0], from[1]));
  const swung = apply(about([0, 0], { ...AT_HOME, scale: [grown, grown], angle: turn }), arm);
  const offset = minus(plus(middle(to[0], to[1]), swung), anchor);
  return { ...resized, offset, angle: wrapAngle(placing.angle + turn) };
}

/** Keeps the object's anchor within the image. @param {Placing} placing @param {Point} anchor @param {Size} size @returns {Placing} */
export function keptInside(placing, anchor, size) {
  return { ...placing, offset: minus(clampPoint(plus(anchor, placing.offset), size), anchor) };
}

/** @param {Placing} p @param {Placing} q */
export function samePlacing(p, q) {
  return (
    p.offset[0] === q.offset[0] && p.offset[1] === q.offset[1] && p.scale[0] === q.scale[0] && p.scale[1] === q.scale[1] &&
    p.angle === q.angle && p.flip === q.flip
  );
}
