// Outlines of shapes whose area, length and number of lines are known.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cropped, extent, outlines, reduced } from "../../../../src/dragondiffusion/web/static/stage/outline.js";

/**
 * @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Point} Point
 * @typedef {import("../../../../src/dragondiffusion/web/static/stage/outline.js").Bitmap} Bitmap
 */

/** @param {number} width @param {number} height @param {(x: number, y: number) => number} value at a pixel's centre @returns {Bitmap} */
function bitmap(width, height, value) {
  const data = Uint8Array.from({ length: width * height }, (_, i) => value((i % width) + 0.5, Math.floor(i / width) + 0.5));
  return { width, height, data };
}

/** Signed by the direction; positive: clockwise as seen on the screen. @param {Point[]} loop */
function area(loop) {
  return loop.reduce((sum, [x, y], i) => {
    const [u, v] = loop[(i + 1) % loop.length];
    return sum + (x * v - u * y) / 2;
  }, 0);
}

/** @param {boolean} inside */
const white = (inside) => (inside ? 255 : 0);

test("a rectangle has one line, its corners cut at the middle of pixels", () => {
  const [loop, ...others] = outlines(bitmap(20, 12, (x, y) => white(x > 4 && x < 14 && y > 3 && y < 8)));
  assert.equal(others.length, 0);
  assert.equal(loop.length, 8);
  assert.ok(Math.abs(area(loop) - (10 * 5 - 4 * 0.125)) < 0.3);
  for (const [x, y] of loop) assert.ok(x >= 3.9 && x <= 14.1 && y >= 2.9 && y <= 8.1);
});

test("a soft disc's line is a circle to a hundredth of its radius", () => {
  const loops = outlines(bitmap(80, 80, (x, y) => 255 * Math.min(Math.max(30.5 - Math.hypot(x - 40, y - 41), 0), 1)));
  assert.equal(loops.length, 1);
  for (const [x, y] of loops[0]) assert.ok(Math.abs(Math.hypot(x - 40, y - 41) - 30) < 0.3);
  assert.ok(Math.abs(area(loops[0]) / (Math.PI * 900) - 1) < 0.01);
});

test("a hole has a line of its own that runs the other way", () => {
  const loops = outlines(bitmap(40, 40, (x, y) => white(Math.abs(Math.hypot(x - 20, y - 20) - 12) < 4)));
  const areas = loops.map(area).sort((p, q) => p - q);
  assert.equal(areas.length, 2);
  assert.ok(areas[0] < 0 && areas[1] > 0);
  assert.ok(Math.abs(-areas[0] - Math.PI * 64) < 12 && Math.abs(areas[1] - Math.PI * 256) < 25);
});

test("lines close along the border of the bitmap", () => {
  const [loop] = outlines(bitmap(9, 7, () => 255));
  assert.ok(Math.abs(area(loop) - 9 * 7) < 1);
});

test("pixels that touch at a corner are two pieces, their gaps filled they are one", () => {
  assert.equal(outlines(bitmap(6, 6, (x, y) => white((x === 2.5 && y === 2.5) || (x === 3.5 && y === 3.5)))).length, 2);
  const filled = bitmap(6, 6, (x, y) => (x === 2.5 && y === 2.5) || (x === 3.5 && y === 3.5) ? 255 : Math.abs(x - y) === 1 && x + y === 6 ? 120 : 0);
  assert.equal(outlines(filled).length, 1);
});

test("random bitmaps: the lines enclose what the corners of every cell say", () => {
  let seed = 7;
  const noise = bitmap(60, 50, () => ((seed = (seed * 48271) % 2147483647), white(seed % 3 === 0)));
  /** @param {number} x @param {number} y */
  const at = (x, y) => (x >= 0 && y >= 0 && x < 60 && y < 50 && noise.data[y * 60 + x] ? 1 : 0);
  let expected = 0;
  for (let y = -1; y < 50; y++) {
    for (let x = -1; x < 60; x++) {
      const [a, b, c, d] = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
      const facing = a === c && b === d && a !== b; // a saddle, 127.5 in the middle: two corners of an eighth each
      expected += facing ? 0.25 : [0, 0.125, 0.5, 0.875, 1][a + b + c + d];
    }
  }
  const enclosed = outlines(noise).reduce((sum, loop) => sum + area(loop), 0);
  assert.ok(Math.abs(enclosed - expected) < 1e-6, `${enclosed} is not ${expected}`);
});

test("nothing has no line and no extent", () => {
  const nothing = bitmap(5, 4, () => 0);
  assert.deepEqual(outlines(nothing), []);
  assert.equal(extent(nothing), null);
});

test("reduced bitmaps keep the mean, parts keep their pixels", () => {
  const ramp = bitmap(12, 8, (x, y) => 10 * (x - 0.5) + (y - 0.5));
  const { width, height, step, data } = reduced(ramp, 4);
  assert.deepEqual([width, height, step], [4, 3, 3]);
  assert.equal(data[0], 11);
  assert.deepEqual(extent(bitmap(10, 10, (x, y) => white(x > 3 && x < 7 && y > 5 && y < 8))), [3, 5, 7, 8]);
  assert.deepEqual([...cropped(ramp, [2, 1, 4, 3]).data], [21, 31, 22, 32]);
});
