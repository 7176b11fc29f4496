// Outlines of masks: closed lines along the border of a grey bitmap, found by marching squares.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {{width: number, height: number, data: Uint8Array | Uint8ClampedArray}} Bitmap  one byte a pixel, row by row
 */

/** Values from here on are inside. */
export const LEVEL = 128;

/**
 * Closed lines where a bitmap passes the level, the inside to the right as seen on the screen; what lies outside of the
 * bitmap counts as 0.
 *
 * Source: W. E. Lorensen, H. E. Cline, "Marching cubes", SIGGRAPH 1987, in two dimensions; where a cell is a saddle, its
 * mean decides.
 *
 * @param {Bitmap} bitmap
 * @returns {Point[][]} in pixels of the bitmap, pixel centres at +0.5
 */
export function outlines(bitmap) {
  const grid = padded(bitmap);
  const next = links(grid);
  const loops = [];
  for (let start = 0; start < next.length; start++) {
    if (next[start] < 0) continue;
    /** @type {Point[]} */
    const loop = [];
    let edge = start;
    while (next[edge] >= 0) {
      loop.push(crossing(grid, edge));
      const following = next[edge];
      next[edge] = -1;
      edge = following;
    }
    loops.push(withoutStraights(loop));
  }
  return loops;
}

/** The bitmap with a border of zeros, so that every line closes. @param {Bitmap} bitmap @returns {Bitmap} */
function padded({ width, height, data }) {
  const grid = new Uint8Array((width + 2) * (height + 2));
  for (let y = 0; y < height; y++) grid.set(data.subarray(y * width, (y + 1) * width), (y + 1) * (width + 2) + 1);
  return { width: width + 2, height: height + 2, data: grid };
}

/**
 * For every edge of the grid that a line enters a cell through, the edge it leaves through; -1 elsewhere. Edge 2 i joins
 * pixel i to the one at its right, edge 2 i + 1 to the one below.
 * @param {Bitmap} grid
 */
function links({ width, height, data }) {
  const next = new Int32Array(2 * width * height).fill(-1);
  for (let y = 0; y < height - 1; y++) {
    for (let i = y * width; i < (y + 1) * width - 1; i++) {
      const [a, b, c, d] = [data[i], data[i + 1], data[i + width + 1], data[i + width]];
      const kind = (a >= LEVEL ? 1 : 0) | (b >= LEVEL ? 2 : 0) | (c >= LEVEL ? 4 : 0) | (d >= LEVEL ? 8 : 0);
      if (kind === 0 || kind === 15) continue;
      const sides = [2 * i, 2 * (i + 1) + 1, 2 * (i + width), 2 * i + 1]; // top, right, bottom, left
      const joined = a + b + c + d >= 4 * LEVEL;
      for (const [from, to] of passages(kind, joined)) next[sides[from]] = sides[to];
    }
  }
  return next;
}

const [TOP, RIGHT, BOTTOM, LEFT] = [0, 1, 2, 3];

/** Which side a line enters and leaves by, for every set of corners that are inside (1 top left, 2 top right, 4 bottom right, 8). */
const PASSAGES = /** @type {[number, number][][]} */ ([
  [], [[TOP, LEFT]], [[RIGHT, TOP]], [[RIGHT, LEFT]], [[BOTTOM, RIGHT]], [], [[BOTTOM, TOP]], [[BOTTOM, LEFT]],
  [[LEFT, BOTTOM]], [[TOP, BOTTOM]], [], [[RIGHT, BOTTOM]], [[LEFT, RIGHT]], [[TOP, RIGHT]], [[LEFT, TOP]], [],
]); // prettier-ignore

/** @param {number} kind @param {boolean} joined whether the inside corners of a saddle are one piece @returns {[number, number][]} */
function passages(kind, joined) {
  if (kind === 5) return joined ? [[TOP, RIGHT], [BOTTOM, LEFT]] : [[TOP, LEFT], [BOTTOM, RIGHT]];
  if (kind === 10) return joined ? [[RIGHT, BOTTOM], [LEFT, TOP]] : [[RIGHT, TOP], [LEFT, BOTTOM]];
  return PASSAGES[kind];
}

/** Where the level is passed on an edge, in pixels of the bitmap without its border. @param {Bitmap} grid @param {number} edge @returns {Point} */
function crossing({ width, data }, edge) {
  const [i, down] = [edge >> 1, edge & 1];
  const [p, q] = [data[i], data[down ? i + width : i + 1]];
  const t = (LEVEL - 0.5 - p) / (q - p); // between two values, never on one
  const [x, y] = [(i % width) - 0.5, Math.floor(i / width) - 0.5];
  return down ? [x, y + t] : [x + t, y];
}

/** Without the points in the middle of a straight line. @param {Point[]} loop */
function withoutStraights(loop) {
  return loop.filter((p, i) => {
    const [o, q] = [loop[(i + loop.length - 1) % loop.length], loop[(i + 1) % loop.length]];
    return Math.abs((p[0] - o[0]) * (q[1] - p[1]) - (p[1] - o[1]) * (q[0] - p[0])) > 1e-9;
  });
}

/**
 * A smaller bitmap, each pixel the mean of the step x step pixels it covers.
 * @param {Bitmap} bitmap
 * @param {number} side largest width or height
 * @returns {Bitmap & {step: number}}
 */
export function reduced(bitmap, side) {
  const step = Math.max(1, Math.ceil(Math.max(bitmap.width, bitmap.height) / side));
  if (step === 1) return { ...bitmap, step };
  const [width, height] = [Math.ceil(bitmap.width / step), Math.ceil(bitmap.height / step)];
  const [sums, counts] = [new Float64Array(width * height), new Float64Array(width * height)];
  for (let y = 0; y < bitmap.height; y++) {
    const row = Math.floor(y / step) * width;
    for (let x = 0; x < bitmap.width; x++) {
      const cell = row + Math.floor(x / step);
      sums[cell] += bitmap.data[y * bitmap.width + x];
      counts[cell] += 1;
    }
  }
  return { width, height, step, data: Uint8Array.from(sums, (sum, i) => Math.round(sum / counts[i])) };
}

/**
 * The part of a bitmap that is not 0.
 * @param {Bitmap} bitmap
 * @returns {import("../model/types.js").Box | null} null where all is 0
 */
export function extent({ width, height, data }) {
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!data[y * width + x]) continue;
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x + 1), y + 1];
    }
  }
  return x1 > x0 ? [x0, y0, x1, y1] : null;
}

/** A part of a bitmap. @param {Bitmap} bitmap @param {import("../model/types.js").Box} box @returns {Bitmap} */
export function cropped({ width, data }, [x0, y0, x1, y1]) {
  const part = new Uint8Array((x1 - x0) * (y1 - y0));
  for (let y = y0; y < y1; y++) part.set(data.subarray(y * width + x0, y * width + x1), (y - y0) * (x1 - x0));
  return { width: x1 - x0, height: y1 - y0, data: part };
}
