// The keyboard: everything a pointer can do with a thing can be done with keys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_HOME } from "../../../../src/dragondiffusion/web/static/model/geometry.js";
import { letGo, settle, steer } from "../../../../src/dragondiffusion/web/static/gestures/keyboard.js";
import { THING, makeBench, press } from "../stage_double.js";

/** @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Edit} Edit */

/** @param {import("../stage_double.js").Bench} bench @param {string} names separated by spaces @param {Partial<KeyboardEvent>} [held] */
function type(bench, names, held) {
  for (const name of names.split(" ")) assert.ok(steer(bench, press(name, held)), name);
}

test("keys move, scale, turn and flip the selected thing, in one final change", () => {
  const { bench, told } = makeBench({ selection: THING });
  type(bench, "ArrowRight ArrowRight ArrowUp + [ f");
  type(bench, "ArrowLeft }", { shiftKey: true });
  assert.ok(told.every(([name, , final]) => name === "onPlace" && !final));
  settle(bench, "end");
  assert.deepEqual(told.at(-1), ["onPlace", { offset: [-8, -1], scale: [1.05, 1.05], angle: -14, flip: true }, true]);
  assert.equal(settle(bench, "end"), false);
});

test("taken back, the thing is where it was", () => {
  const { bench, told } = makeBench({ selection: THING });
  type(bench, "ArrowRight");
  settle(bench, "cancel");
  assert.deepEqual(told.at(-1), ["onPlace", AT_HOME, false]);
  assert.equal(bench.hand.placing, null);
});

test("with nothing selected arrows steer a crosshair, Enter picks", () => {
  const { bench, told } = makeBench({});
  type(bench, "ArrowRight"); // it appears in the middle of the view
  assert.deepEqual(bench.hand.crosshair, [500, 400]);
  type(bench, "ArrowRight ArrowDown");
  type(bench, "Enter", { shiftKey: true });
  type(bench, "Enter", { altKey: true });
  type(bench, "Enter");
  assert.deepEqual(told, ["add", "remove", "new"].map((how) => ["onPick", [516, 416], how]));
  assert.equal(bench.hand.crosshair, null);
});

test("C brings the crosshair back where something is selected", () => {
  const { bench, told } = makeBench({ selection: THING });
  type(bench, "c ArrowLeft");
  type(bench, "Enter", { shiftKey: true });
  assert.deepEqual(told, [["onPick", [484, 400], "add"]]);
});

test("the crosshair stays in the picture and in view", () => {
  const { bench } = makeBench({});
  bench.viewport.zoomAt(10);
  for (let i = 0; i < 80; i++) type(bench, "ArrowLeft", { shiftKey: true });
  assert.equal(bench.hand.crosshair?.[0], 0);
  assert.ok(bench.hand.crosshair && bench.viewport.toScreen(bench.hand.crosshair)[0] >= 0);
});

test("arrows: Enter sets the tail, Enter sets the tip, Delete takes it away", () => {
  const { bench, told } = makeBench({}, { tool: "drag" });
  type(bench, "ArrowRight Enter ArrowRight Enter");
  assert.deepEqual(told.at(-1), ["onArrows", [[[500, 400], [516, 400]]], true]);
  /** @type {Edit} */
  const drag = { id: 1, kind: "drag", hidden: false, points: told.at(-1)?.[1], selection: null };
  bench.scene = { ...bench.scene, doc: { ...bench.scene.doc, edits: [drag], chosen: 1 } };
  type(bench, "Delete");
  assert.deepEqual(told.at(-1), ["onArrows", [], true]);
  assert.equal(steer(bench, press("Delete")), false);
});

test("landmarks: Enter takes one up, arrows move it, Enter puts it down, Escape takes it back", () => {
  /** @type {Edit} */
  const face = { id: 1, kind: "landmarks", hidden: false, from: [[500, 400]], to: [[500, 400]] };
  const { bench, told } = makeBench({ edits: [face], chosen: 1 }, { tool: "landmarks" });
  type(bench, "ArrowUp Enter ArrowUp Enter");
  assert.deepEqual(told.at(-1), ["onLandmarks", [[500, 384]], true]);
  bench.hand.crosshair = [500, 400];
  type(bench, "Enter ArrowUp");
  assert.ok(letGo(bench));
  assert.deepEqual(told.at(-1), ["onLandmarks", [[500, 400]], false]);
});

test("Escape lets go step by step", () => {
  const { bench, told } = makeBench({ selection: THING }, { tool: "drag" });
  type(bench, "ArrowRight Enter");
  assert.ok(letGo(bench) && bench.hand.tail === null && bench.hand.crosshair);
  assert.ok(letGo(bench) && bench.hand.crosshair === null);
  assert.ok(letGo(bench));
  assert.deepEqual(told.at(-1), ["onChoose", null]);
  assert.equal(letGo(makeBench({}).bench), false);
});

test("keys that belong to the page are left to it", () => {
  const { bench } = makeBench({ selection: THING });
  for (const event of [press("z", { ctrlKey: true }), press("ArrowLeft", { metaKey: true }), press("v"), press("Tab"), press("Delete")]) {
    assert.equal(steer(bench, event), false, event.key);
  }
  assert.equal(steer(makeBench({ picture: null }).bench, press("ArrowLeft")), false);
});

test("with nothing selected plus, minus and 0 zoom; arrows pan with the tool to pan", () => {
  const { bench } = makeBench({}, { tool: "pan" });
  const { zoom, pan } = bench.viewport;
  type(bench, "+");
  assert.ok(bench.viewport.zoom > zoom);
  type(bench, "-");
  assert.ok(Math.abs(bench.viewport.zoom - zoom) < 1e-9);
  type(bench, "ArrowRight");
  assert.ok(bench.viewport.pan[0] < pan[0]);
  type(bench, "0");
  assert.ok(bench.viewport.fitted);
});

test("arrows move the line between before and after", () => {
  /** @type {any} */
  const image = {};
  const { bench, told } = makeBench({}, { compare: { image, split: 0.5 } });
  type(bench, "ArrowLeft", { shiftKey: true });
  assert.deepEqual(told, [["onSplit", 0.4]]);
});
