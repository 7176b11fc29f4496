// The view: points go there and back, zooming holds the point, nothing gets lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Viewport, wheelFactor } from "../../../../src/dragondiffusion/web/static/stage/viewport.js";

/** @param {number} [width] @param {number} [height] */
function opened(width = 4000, height = 3000) {
  const viewport = new Viewport();
  viewport.resize({ width: 800, height: 500 });
  viewport.open({ width, height });
  return viewport;
}

/** @param {readonly number[]} actual @param {readonly number[]} expected */
function close(actual, expected) {
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, `${actual} is not ${expected}`));
}

test("a fitted image lies whole in the middle of the view", () => {
  const viewport = opened();
  const [[x0, y0], [x1, y1]] = [viewport.toScreen([0, 0]), viewport.toScreen([4000, 3000])];
  assert.ok(x0 > 0 && y0 > 0 && x1 < 800 && y1 < 500);
  close([x0 + x1, y0 + y1], [800, 500]);
  assert.ok(Math.min(x0, y0) <= 20);
});

test("a fitted image lies clear of what covers the view, unless too little is left", () => {
  const viewport = opened();
  viewport.cover({ top: 40, bottom: 100 });
  const [[, y0], [, y1]] = [viewport.toScreen([0, 0]), viewport.toScreen([4000, 3000])];
  assert.ok(y0 >= 40 && y1 <= 400);
  close([y0 - 40], [400 - y1]);
  viewport.cover({ top: 200, bottom: 200 });
  assert.ok(viewport.toScreen([0, 3000])[1] > 400);
});

test("points go to the screen and back", () => {
  const viewport = opened();
  viewport.zoomAt(3.3, [123, 45]);
  viewport.panBy([17, -9]);
  for (const point of /** @type {[number, number][]} */ ([[0, 0], [1234.5, 678.25], [4000, 3000]])) {
    close(viewport.toPicture(viewport.toScreen(point)), point);
  }
});

test("zooming keeps the point under the pointer, up to its limits", () => {
  const viewport = opened();
  const before = viewport.toPicture([400, 240]);
  for (let i = 0; i < 10; i++) viewport.zoomAt(1.3, [400, 240]);
  close(viewport.toPicture([400, 240]), before);
  viewport.zoomAt(1e9);
  assert.equal(viewport.zoom, viewport.limits[1]);
  viewport.zoomAt(1e-9);
  assert.equal(viewport.zoom, viewport.limits[0]);
});

test("the image always covers the middle of the view or touches it", () => {
  const viewport = opened();
  viewport.zoomAt(4);
  viewport.panBy([1e6, -1e6]);
  const [x, y] = viewport.toPicture([400, 250]);
  close([x, y], [0, 3000]);
});

test("another size of the canvas: fitted stays fitted, else the middle stays", () => {
  const viewport = opened();
  viewport.resize({ width: 300, height: 700 });
  assert.equal(viewport.zoom, viewport.fitZoom);
  viewport.zoomAt(5, [150, 350]);
  const middle = viewport.toPicture([150, 350]);
  viewport.resize({ width: 900, height: 400 });
  close(viewport.toPicture([450, 200]), middle);
});

test("a result of the same size is seen where the image was, another image is fitted", () => {
  const viewport = opened();
  viewport.zoomAt(4);
  const pan = viewport.pan;
  viewport.open({ width: 4000, height: 3000 });
  assert.deepEqual(viewport.pan, pan);
  viewport.open({ width: 512, height: 512 });
  assert.ok(viewport.fitted);
});

test("a point is brought into view by the least pan", () => {
  const viewport = opened();
  viewport.zoomAt(8);
  viewport.reveal([3000, 1500], 40);
  assert.ok(viewport.toScreen([3000, 1500])[0] <= 760.001);
  const pan = viewport.pan;
  viewport.reveal([3000, 1500], 40);
  assert.deepEqual(viewport.pan, pan);
});

test("turning the wheel forth and back ends where it began", () => {
  for (const deltaMode of [0, 1, 2]) {
    const [forth, back] = [2, -2].map((deltaY) => wheelFactor({ deltaY, deltaMode, ctrlKey: false }));
    assert.ok(forth < 1);
    close([forth * back], [1]);
  }
});
