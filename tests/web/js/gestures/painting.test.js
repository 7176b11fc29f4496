// Brush and lasso on a canvas that records what is drawn on it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Painting } from "../../../../src/dragondiffusion/web/static/gestures/painting.js";

/** @typedef {[string, ...unknown[]]} Call */

/** A canvas whose context records calls, with the composition it has at that time. */
function recorder() {
  /** @type {Call[]} */
  const calls = [];
  /** @param {{width: number, height: number}} size @returns {HTMLCanvasElement} */
  const makeCanvas = ({ width, height }) => {
    /** @type {any} */
    const canvas = { width, height, pen: null };
    /** @type {any} */
    const state = { canvas, globalCompositeOperation: "source-over" };
    canvas.pen = new Proxy(state, {
      get(target, name) {
        if (name in target) return target[name];
        return (/** @type {unknown[]} */ ...values) => void calls.push([String(name), ...values, ...extras(String(name), target)]);
      },
    });
    canvas.getContext = () => canvas.pen;
    return canvas;
  };
  return { calls, makeCanvas };
}

/** @param {string} name @param {any} state */
function extras(name, state) {
  return name === "fillRect" ? [state.fillStyle, state.globalCompositeOperation] : [];
}

/** @param {Call[]} calls @param {string[]} names */
const only = (calls, ...names) => calls.filter(([name]) => names.includes(name));

test("strokes are drawn at the view's scale, as wide as the brush", () => {
  const { calls, makeCanvas } = recorder();
  const painting = new Painting("stroke", { width: 4000, height: 2000 }, { width: 1000, height: 500 }, 80, "red", makeCanvas);
  assert.deepEqual([painting.canvas.width, painting.canvas.height, painting.pen.lineWidth], [1000, 500, 20]);
  assert.ok(painting.isEmpty);
  painting.to([400, 800]);
  painting.to([800, 400]);
  assert.deepEqual(only(calls, "moveTo", "lineTo"), [
    ["moveTo", 100, 200],
    ["lineTo", 100, 200],
    ["moveTo", 100, 200],
    ["lineTo", 200, 100],
  ]);
  assert.equal(only(calls, "stroke").length, 2);
  assert.ok(!painting.isEmpty);
});

test("a brush is never thinner than a pixel of the view", () => {
  const { makeCanvas } = recorder();
  assert.equal(new Painting("stroke", { width: 4000, height: 2000 }, { width: 400, height: 200 }, 2, "red", makeCanvas).pen.lineWidth, 1);
});

test("a lasso is filled when it closes, and two points are none", () => {
  const { calls, makeCanvas } = recorder();
  const painting = new Painting("lasso", { width: 100, height: 100 }, { width: 50, height: 50 }, 9, "red", makeCanvas);
  painting.to([0, 0]);
  painting.to([100, 0]);
  assert.ok(painting.isEmpty);
  painting.to([100, 100]);
  assert.ok(!painting.isEmpty);
  assert.equal(only(calls, "fill", "stroke").length, 0);
  painting.close();
  assert.deepEqual(only(calls, "lineTo"), [
    ["lineTo", 0, 0],
    ["lineTo", 50, 0],
    ["lineTo", 50, 50],
  ]);
  assert.equal(only(calls, "fill").length, 1);
});

test("what is handed over is white on black", () => {
  const { calls, makeCanvas } = recorder();
  const painting = new Painting("stroke", { width: 100, height: 60 }, { width: 50, height: 30 }, 9, "red", makeCanvas);
  painting.to([10, 10]);
  const mask = painting.mask(makeCanvas);
  assert.deepEqual([mask.width, mask.height], [50, 30]);
  assert.deepEqual(only(calls, "fillRect"), [
    ["fillRect", 0, 0, 50, 30, "#fff", "source-in"],
    ["fillRect", 0, 0, 50, 30, "#000", "destination-over"],
  ]);
});

test("a soft brush draws its whole stroke at once, as a blur that ends where the brush does, once for each look at it", () => {
  const { calls, makeCanvas } = recorder();
  const painting = new Painting("stroke", { width: 100, height: 60 }, { width: 50, height: 30 }, 16, "red", makeCanvas, 0.5);
  painting.to([10, 10]);
  painting.to([30, 20]);
  painting.to([50, 20]);
  assert.equal(only(calls, "stroke").length, 0);
  assert.equal(painting.canvas, painting.canvas);
  assert.equal(only(calls, "stroke").length, 1);
  assert.deepEqual(only(calls, "moveTo", "lineTo"), [
    ["moveTo", 5 - 100, 5],
    ["lineTo", 15 - 100, 10],
    ["lineTo", 25 - 100, 10],
  ]);
  assert.equal(only(calls, "clearRect").length, only(calls, "stroke").length);
  const pen = /** @type {any} */ (painting.pen);
  assert.deepEqual([pen.shadowOffsetX, pen.shadowColor, pen.lineWidth], [100, "red", 8]);
  assert.ok(pen.shadowBlur > 0 && pen.shadowBlur <= 4);
});
