// Affine maps against values of the package's `Affine.about`; handles and pinches against what they must do to points.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as geometry from "../../../../src/dragondiffusion/web/static/model/geometry.js";

/**
 * @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Point} Point
 * @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Placing} Placing
 */

const { about, apply, compose, inverse } = geometry;

/** Printed by `Affine.about(anchor, ...)(points)` of the package, double precision.
 * @type {{anchor: Point, placing: Placing, points: Point[], images: Point[]}[]} */
const OF_THE_PACKAGE = [
  {
    anchor: [100, 60],
    placing: { offset: [0, 0], scale: [1, 1], angle: 90, flip: false },
    points: [[101, 60], [0, 0], [640.5, 480.25]],
    images: [[100, 59], [40, 160], [520.25, -480.5]],
  },
  {
    anchor: [531.5, 547.25],
    placing: { offset: [-31.25, 12.5], scale: [1.5, 0.75], angle: 33, flip: false },
    points: [[101, 60], [0, 0], [640.5, 480.25]],
    images: [[-240.353046609, 604.968981187], [-391.920394228, 649.741619435], [610.00452635, 428.558321736]],
  },
  {
    anchor: [531.5, 547.25],
    placing: { offset: [40, -7], scale: [0.5, 2], angle: -118, flip: true },
    points: [[101, 60], [0, 0], [640.5, 480.25]],
    images: [[1330.878675351, 1187.804507298], [1413.124072574, 1288.729948271], [715.401177615, 555.038545602]],
  },
  {
    anchor: [10, 20],
    placing: { offset: [0, 0], scale: [2, 3], angle: 180, flip: true },
    points: [[101, 60], [0, 0], [640.5, 480.25]],
    images: [[192, -100], [-10, 80], [1271, -1360.75]],
  },
];

let seed = 1;
/** @param {number} low @param {number} high */
function random(low, high) {
  seed = (seed * 48271) % 2147483647;
  return low + ((high - low) * seed) / 2147483647;
}

/** @returns {Point} */
const randomPoint = () => [random(-500, 1500), random(-500, 1500)];

/** @returns {Placing} */
const randomPlacing = () => ({
  offset: [random(-300, 300), random(-300, 300)],
  scale: [random(0.2, 4), random(0.2, 4)],
  angle: random(-179, 180),
  flip: random(0, 1) > 0.5,
});

/** @param {readonly number[]} actual @param {readonly number[]} expected @param {number} [tolerance] */
function close(actual, expected, tolerance = 1e-6) {
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= tolerance, `${actual} is not ${expected}`));
}

test("places objects as the package does", () => {
  for (const { anchor, placing, points, images } of OF_THE_PACKAGE) {
    points.forEach((point, i) => close(apply(about(anchor, placing), point), images[i]));
  }
});

test("a turn by 90 degrees brings what is right of the anchor above it", () => {
  close(apply(about([50, 50], { ...geometry.AT_HOME, angle: 90 }), [60, 50]), [50, 40]);
});

test("the inverse undoes the map, on either side", () => {
  for (let i = 0; i < 200; i++) {
    const [map, point] = [about(randomPoint(), randomPlacing()), randomPoint()];
    close(apply(inverse(map), apply(map, point)), point);
    close(compose(map, inverse(map)), [1, 0, 0, 0, 1, 0]);
  }
  assert.throws(() => inverse([1, 2, 0, 2, 4, 0]), RangeError);
});

test("composition is the product of 3x3 matrices", () => {
  for (let i = 0; i < 50; i++) {
    const [m, n] = [about(randomPoint(), randomPlacing()), about(randomPoint(), randomPlacing())];
    const [p, q] = [m, n].map((a) => [a.slice(0, 3), a.slice(3), [0, 0, 1]]);
    const product = [0, 1].flatMap((r) => [0, 1, 2].map((c) => p[r].reduce((sum, v, k) => sum + v * q[k][c], 0)));
    close(compose(m, n), product, 1e-6);
  }
});

test("a canvas's setTransform takes the map by columns", () => {
  const map = about([30, 40], { offset: [5, 6], scale: [2, 3], angle: 30, flip: true });
  const [a, b, c, d, e, f] = geometry.canvasOrder(map);
  close([a * 7 + c * 8 + e, b * 7 + d * 8 + f], apply(map, [7, 8]));
});

test("a pulled corner ends up under the pointer where the pointer stays on the ray from the anchor", () => {
  for (let i = 0; i < 100; i++) {
    const [anchor, placing, corner] = [randomPoint(), { ...randomPlacing(), scale: /** @type {Point} */ ([1, 1.5]) }, randomPoint()];
    const from = apply(about(anchor, placing), corner);
    const centre = geometry.plus(anchor, placing.offset);
    const factor = random(0.4, 3);
    const to = /** @type {Point} */ (centre.map((c, k) => c + factor * (from[k] - c)));
    const after = geometry.pulled(placing, anchor, anchor, from, to, "both");
    close(after.scale, [factor, 1.5 * factor]);
    close(apply(about(anchor, after), corner), to);
  }
});

test("with shift a pulled corner follows the pointer wherever it goes, on its own side of the anchor", () => {
  for (let i = 0; i < 100; i++) {
    const [anchor, placing] = [randomPoint(), { ...randomPlacing(), scale: /** @type {Point} */ ([1, 1]) }];
    const corner = /** @type {Point} */ ([anchor[0] + 40, anchor[1] - 60]);
    const from = apply(about(anchor, placing), corner);
    const goal = { ...placing, scale: /** @type {Point} */ ([random(0.3, 3), random(0.3, 3)]) };
    const to = apply(about(anchor, goal), corner);
    close(geometry.pulled(placing, anchor, anchor, from, to, "each").scale, goal.scale);
  }
});

test("a pulled handle leaves the opposite corner or side where it is, and comes to the pointer along its axes", () => {
  const box = /** @type {geometry.Box} */ ([20, 30, 120, 90]);
  const corners = { nw: [20, 30], ne: [120, 30], se: [120, 90], sw: [20, 90], n: [70, 30], e: [120, 60], s: [70, 90], w: [20, 60] };
  for (let i = 0; i < 20; i++) {
    const placing = { ...randomPlacing(), scale: /** @type {Point} */ ([1, 1.5]), flip: i % 2 === 1 };
    for (const [name, at] of /** @type {[geometry.HandleName, Point][]} */ (Object.entries(corners))) {
      const anchor = /** @type {Point} */ ([60, 55]);
      const map = about(anchor, placing);
      const fixed = geometry.opposite(name, box);
      const [still, from] = [apply(map, fixed), apply(map, at)];
      const factor = random(0.5, 2);
      const to = /** @type {Point} */ (still.map((s, k) => s + factor * (from[k] - s)));
      const axes = name === "e" || name === "w" ? "x" : name === "n" || name === "s" ? "y" : "both";
      const after = geometry.pulled(placing, anchor, fixed, from, to, axes);
      close(apply(about(anchor, after), fixed), still);
      close(apply(about(anchor, after), at), to);
      close(after.scale, [axes === "y" ? 1 : factor, axes === "x" ? 1.5 : 1.5 * factor]);
    }
  }
});

test("scales stay within what gestures can reach and keep their proportions", () => {
  const { smallest, largest } = geometry.SCALES;
  close(geometry.scaled({ ...geometry.AT_HOME, scale: [1, 2] }, [1e6, 1e6]).scale, [largest / 2, largest]);
  close(geometry.scaled({ ...geometry.AT_HOME, scale: [1, 2] }, [0, 0]).scale, [smallest, 2 * smallest]);
  close(geometry.pulled(geometry.AT_HOME, [0, 0], [0, 0], [10, 10], [-30, -30], "both").scale, [smallest, smallest]);
});

test("the handle to rotate turns by what the pointer turns about the anchor", () => {
  for (let i = 0; i < 100; i++) {
    const [anchor, placing, turn] = [randomPoint(), randomPlacing(), random(-170, 170)];
    const centre = geometry.plus(anchor, placing.offset);
    const from = geometry.plus(centre, [random(20, 90), random(-90, -20)]);
    const to = apply(about(centre, { ...geometry.AT_HOME, angle: turn }), from);
    const after = geometry.turned(placing, anchor, from, to, false);
    close([geometry.wrapAngle(after.angle - placing.angle - turn)], [0]);
    assert.ok(after.angle > -180 && after.angle <= 180);
    close([Math.abs(geometry.turned(placing, anchor, from, to, true).angle % geometry.TURN_STEP)], [0]);
  }
});

test("an angle is caught by upright and by what it was, and by nothing else", () => {
  const cases = [[1.9, 40, 0], [-91, 40, -90], [179, 40, 180], [-178, 40, 180], [41.5, 40, 40], [45, 40, 45], [3, 40, 3]];
  for (const [angle, before, expected] of cases) assert.equal(geometry.caughtAngle(angle, before, 2), expected);
});

test("what lies under two fingers stays under them", () => {
  for (let i = 0; i < 100; i++) {
    const [anchor, placing] = [randomPoint(), { ...randomPlacing(), scale: /** @type {Point} */ ([1, 1.2]) }];
    const things = /** @type {[Point, Point]} */ ([geometry.plus(anchor, [30, 10]), geometry.plus(anchor, [-50, 40])]);
    const place = about(anchor, placing);
    const from = /** @type {[Point, Point]} */ (things.map((p) => apply(place, p)));
    const similarity = about(randomPoint(), { offset: randomPoint(), scale: [1.7, 1.7], angle: random(-179, 179), flip: false });
    const to = /** @type {[Point, Point]} */ (from.map((p) => apply(similarity, p)));
    const after = about(anchor, geometry.pinched(placing, anchor, from, to));
    things.forEach((p, k) => close(apply(after, p), to[k], 1e-5));
  }
});

test("a placing is kept where its anchor is inside the image", () => {
  const kept = geometry.keptInside({ ...geometry.AT_HOME, offset: [500, -70] }, [100, 50], { width: 400, height: 300 });
  close(kept.offset, [300, -50]);
});

test("sides that are long enough have handles of their own", () => {
  const quad = /** @type {geometry.Quad} */ ([[10, 10], [110, 10], [110, 40], [10, 40]]);
  const handles = geometry.handlesOf(quad, 25, "n");
  assert.deepEqual(handles.slice(5).map(({ name }) => name), ["n", "s"]);
  assert.equal(geometry.handleAt([62, 41], handles, quad, 14)?.name, "s");
});

test("handles stand at the corners and off the top, and the middle of a small object stays free", () => {
  const quad = /** @type {geometry.Quad} */ ([[10, 10], [30, 10], [30, 30], [10, 30]]);
  const handles = geometry.handlesOf(quad, 25, "n");
  assert.deepEqual(handles.map(({ name }) => name), ["nw", "ne", "se", "sw", "rotate"]);
  close(handles[4].at, [20, -15]);
  close(geometry.handlesOf(quad, 25, "s")[4].at, [20, 55]);
  assert.equal(geometry.handleAt([20, 20], handles, quad, 22), null);
  assert.equal(geometry.handleAt([29, 29], handles, quad, 22)?.name, "se");
  assert.equal(geometry.handleAt([45, 40], handles, quad, 22)?.name, "se");
  assert.equal(geometry.handleAt([60, 60], handles, quad, 22), null);
});

test("a frame grows outwards whichever way its object is mirrored", () => {
  for (const flip of [false, true]) {
    const quad = geometry.mappedCorners([10, 20, 40, 30], about([25, 25], { ...geometry.AT_HOME, angle: 90, flip }));
    const grown = geometry.grownQuad(quad, 5);
    for (const corner of quad) assert.ok(geometry.insideQuad(corner, grown));
    for (const corner of grown) assert.ok(!geometry.insideQuad(corner, quad));
    close([geometry.distance(grown[0], grown[1]), geometry.distance(grown[1], grown[2])], [40, 20]);
  }
});

test("distances to a piece of line", () => {
  close([geometry.distanceToSegment([5, 7], [0, 0], [10, 0])], [7]);
  close([geometry.distanceToSegment([13, 4], [0, 0], [10, 0])], [5]);
  close([geometry.distanceToSegment([3, 4], [0, 0], [0, 0])], [5]);
});

test("boxes are put in order and cut to the image", () => {
  assert.deepEqual(geometry.boxBetween([90, -5], [20, 30], { width: 80, height: 60 }), [20, 0, 80, 30]);
});
