// The keyboard: everything a pointer can do with an object can be done with keys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_HOME } from "../../../../src/dragondiffusion/web/static/model/geometry.js";
import { letGo, settle, actOnKey } from "../../../../src/dragondiffusion/web/static/gestures/keyboard.js";
import { THING, makeStage, press } from "../stage_double.js";

/** @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Edit} Edit */

/** @param {import("../stage_double.js").StageContext} stage @param {string} names separated by spaces @param {Partial<KeyboardEvent>} [held] */
function type(stage, names, held) {
  for (const name of names.split(" ")) assert.ok(actOnKey(stage, press(name, held)), name);
}

test("keys move, scale, turn and flip the selected object, in one final change", () => {
  const { stage, reported } = makeStage({ selection: THING });
  type(stage, "ArrowRight ArrowRight ArrowUp + [ f");
  type(stage, "ArrowLeft }", { shiftKey: true });
  assert.ok(reported.every(([name, , final]) => name === "onPlace" && !final));
  settle(stage, "end");
  assert.deepEqual(reported.at(-1), ["onPlace", { offset: [-8, -1], scale: [1.05, 1.05], angle: -14, flip: true }, true]);
  assert.equal(settle(stage, "end"), false);
});

test("taken back, the object is where it was", () => {
  const { stage, reported } = makeStage({ selection: THING });
  type(stage, "ArrowRight");
  settle(stage, "cancel");
  assert.deepEqual(reported.at(-1), ["onPlace", AT_HOME, false]);
  assert.equal(stage.interaction.placing, null);
});

test("with nothing selected arrows move a crosshair, Enter picks", () => {
  const { stage, reported } = makeStage({});
  type(stage, "ArrowRight"); // it appears in the middle of the view
  assert.deepEqual(stage.interaction.crosshair, [500, 400]);
  type(stage, "ArrowRight ArrowDown");
  type(stage, "Enter", { shiftKey: true });
  type(stage, "Enter", { altKey: true });
  type(stage, "Enter");
  assert.deepEqual(reported, ["add", "remove", "new"].map((how) => ["onPick", [516, 416], how]));
  assert.equal(stage.interaction.crosshair, null);
});

test("where the crosshair is can be heard", () => {
  const { stage, told } = makeStage({});
  type(stage, "ArrowRight ArrowRight");
  assert.deepEqual(told.at(-1), ["onTell", "52 % from the left, 50 % from the top"]);
});

test("C brings the crosshair back where something is selected", () => {
  const { stage, reported } = makeStage({ selection: THING });
  type(stage, "c ArrowLeft");
  type(stage, "Enter", { shiftKey: true });
  assert.deepEqual(reported, [["onPick", [484, 400], "add"]]);
});

test("the crosshair stays in the image and in view", () => {
  const { stage } = makeStage({});
  stage.viewport.zoomAt(10);
  for (let i = 0; i < 80; i++) type(stage, "ArrowLeft", { shiftKey: true });
  assert.equal(stage.interaction.crosshair?.[0], 0);
  assert.ok(stage.interaction.crosshair && stage.viewport.toScreen(stage.interaction.crosshair)[0] >= 0);
});

test("arrows: Enter sets the tail, Enter sets the tip, Delete takes it away", () => {
  const { stage, reported } = makeStage({}, { tool: "drag" });
  type(stage, "ArrowRight Enter ArrowRight Enter");
  assert.deepEqual(reported.at(-1), ["onArrows", [[[500, 400], [516, 400]]], true]);
  /** @type {Edit} */
  const drag = { id: 1, kind: "drag", hidden: false, points: reported.at(-1)?.[1], selection: null };
  stage.scene = { ...stage.scene, doc: { ...stage.scene.doc, edits: [drag], chosen: 1 } };
  type(stage, "Delete");
  assert.deepEqual(reported.at(-1), ["onArrows", [], true]);
  assert.equal(actOnKey(stage, press("Delete")), false);
});

test("landmarks: Enter takes one up, arrows move it, Enter puts it down, Escape takes it back", () => {
  /** @type {Edit} */
  const face = { id: 1, kind: "landmarks", hidden: false, from: [[500, 400]], to: [[500, 400]] };
  const { stage, reported } = makeStage({ edits: [face], chosen: 1 }, { tool: "landmarks" });
  type(stage, "ArrowUp Enter ArrowUp Enter");
  assert.deepEqual(reported.at(-1), ["onLandmarks", [[500, 384]], true]);
  stage.interaction.crosshair = [500, 400];
  type(stage, "Enter ArrowUp");
  assert.ok(letGo(stage));
  assert.deepEqual(reported.at(-1), ["onLandmarks", [[500, 400]], false]);
});

test("Escape lets go step by step", () => {
  const { stage, reported } = makeStage({ selection: THING }, { tool: "drag" });
  type(stage, "ArrowRight Enter");
  assert.ok(letGo(stage) && stage.interaction.tail === null && stage.interaction.crosshair);
  assert.ok(letGo(stage) && stage.interaction.crosshair === null);
  assert.equal(letGo(stage), false, "an error, a result and the selection are the page's to leave");
  assert.deepEqual(reported.filter(([name]) => name !== "onHint"), []);
});

test("keys that belong to the page are not handled", () => {
  const { stage } = makeStage({ selection: THING });
  for (const event of [press("z", { ctrlKey: true }), press("ArrowLeft", { metaKey: true }), press("v"), press("Tab"), press("Delete")]) {
    assert.equal(actOnKey(stage, event), false, event.key);
  }
  assert.equal(actOnKey(makeStage({ picture: null }).stage, press("ArrowLeft")), false);
});

test("with nothing selected plus, minus and 0 zoom; arrows pan with the tool to pan", () => {
  const { stage } = makeStage({}, { tool: "pan" });
  const { zoom, pan } = stage.viewport;
  type(stage, "+");
  assert.ok(stage.viewport.zoom > zoom);
  type(stage, "-");
  assert.ok(Math.abs(stage.viewport.zoom - zoom) < 1e-9);
  type(stage, "ArrowRight");
  assert.ok(stage.viewport.pan[0] < pan[0]);
  type(stage, "0");
  assert.ok(stage.viewport.fitted);
});

test("arrows move the line between before and after", () => {
  /** @type {any} */
  const image = {};
  const { stage, reported } = makeStage({}, { compare: { image, split: 0.5 } });
  type(stage, "ArrowLeft", { shiftKey: true });
  assert.deepEqual(reported, [["onSplit", 0.4]]);
});
