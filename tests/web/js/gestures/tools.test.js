// What presses, pulls and taps report to the page, tool by tool.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cursorAt, dragged, editAt, partAt, pressed, settleHandles, tapped } from "../../../../src/dragondiffusion/web/static/gestures/tools.js";
import { about, apply, AT_HOME } from "../../../../src/dragondiffusion/web/static/model/geometry.js";
import { pinchingView } from "../../../../src/dragondiffusion/web/static/gestures/gestures.js";
import { pinchingSubject } from "../../../../src/dragondiffusion/web/static/gestures/placing.js";
import { framing } from "../../../../src/dragondiffusion/web/static/stage/framing.js";
import { correctedMask, subjectOf } from "../../../../src/dragondiffusion/web/static/stage/scene.js";
import { DOC, THING, keys, makeStage } from "../stage_double.js";

/**
 * @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Point} Point
 * @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Edit} Edit
 */

/** Where the middle of THING is seen: 0.5 (400, 350) + (50, 40). @type {Point} */
const MIDDLE = [250, 215];

/** A press at `from`, pulled to `to`. @param {import("../stage_double.js").StageContext} stage @param {Point} from @param {Point} to @param {any} [held] */
function pull(stage, from, to, held = keys()) {
  const gesture = dragged(stage, from);
  assert.ok(gesture);
  gesture.move([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], held);
  gesture.move(to, held);
  return gesture;
}

/** @type {Edit} */
const MOVE = { id: 3, kind: "move", hidden: false, selection: THING, placing: { ...AT_HOME, offset: [100, 0] } };

test("a selected object follows the pointer and is put down at release", () => {
  const { stage, reported } = makeStage({ selection: THING });
  pull(stage, MIDDLE, [280, 205]).end();
  assert.deepEqual(reported.map(([name, , final]) => [name, final]), [["onPlace", false], ["onPlace", false], ["onPlace", true]]);
  assert.deepEqual(reported[2][1], { ...AT_HOME, offset: [60, -20] });
});

test("with shift it goes along one axis", () => {
  const { stage, reported } = makeStage({ selection: THING });
  pull(stage, MIDDLE, [280, 205], keys({ shiftKey: true }));
  assert.deepEqual(reported.at(-1)?.[1].offset, [60, 0]);
});

test("a cancelled pull says that the object is where it was", () => {
  const { stage, reported } = makeStage({ edits: [MOVE], chosen: 3 });
  pull(stage, [MIDDLE[0] + 50, MIDDLE[1]], [400, 300]).cancel();
  assert.deepEqual(reported.at(-1), ["onPlace", MOVE.kind === "move" && MOVE.placing, false]);
  assert.equal(stage.interaction.placing, null);
});

test("the chosen edit's object goes on from its placing", () => {
  const { stage, reported } = makeStage({ edits: [MOVE], chosen: 3 });
  pull(stage, [MIDDLE[0] + 50, MIDDLE[1]], [MIDDLE[0] + 60, MIDDLE[1]]).end();
  assert.deepEqual(reported.at(-1)?.[1].offset, [120, 0]);
});

test("corners scale, the knob rotates", () => {
  const { stage, reported } = makeStage({ selection: THING });
  settleHandles(stage);
  const subject = subjectOf(stage.scene.doc);
  assert.ok(subject);
  const { handles } = framing(stage.viewport, subject, stage.interaction.knob);
  const [se, rotate] = [handles[2].at, handles[4].at];
  assert.equal(partAt(stage, se), "se");
  pull(stage, se, [2 * se[0] - MIDDLE[0], 2 * se[1] - MIDDLE[1]], keys({ altKey: true })).end();
  assert.ok(Math.abs(reported.at(-1)?.[1].scale[0] - 2) < 1e-9 && Math.abs(reported.at(-1)?.[1].scale[1] - 2) < 1e-9);
  stage.interaction.placing = null;
  pull(stage, rotate, [MIDDLE[0] - 60, MIDDLE[1]]).end();
  assert.ok(Math.abs(reported.at(-1)?.[1].angle - 90) < 1e-9);
});

test("a corner leaves the opposite one where it is, with alt the centre; a side scales along its axis", () => {
  const { stage, reported } = makeStage({ selection: THING });
  settleHandles(stage);
  const subject = subjectOf(stage.scene.doc);
  assert.ok(subject);
  const handles = new Map(framing(stage.viewport, subject, stage.interaction.knob).handles.map(({ name, at }) => [name, at]));
  const [se, e] = [handles.get("se"), handles.get("e")];
  assert.ok(se && e);
  /** @param {[number, number]} point @param {any} placing */
  const placed = (point, placing) => apply(about(THING.mask.centroid, placing), point);
  pull(stage, se, [se[0] + 40, se[1] + 20]).end();
  const larger = reported.at(-1)?.[1];
  assert.ok(larger.scale[0] > 1.2);
  placed([300, 300], larger).forEach((v) => assert.ok(Math.abs(v - 300) < 1e-6));
  stage.interaction.placing = null;
  pull(stage, se, [se[0] + 40, se[1] + 20], keys({ altKey: true })).end();
  assert.ok(reported.at(-1)?.[1].offset.every((/** @type {number} */ v) => Math.abs(v) < 1e-9));
  stage.interaction.placing = null;
  pull(stage, e, [e[0] + 50, e[1] + 30]).end();
  const wider = reported.at(-1)?.[1];
  assert.ok(wider.scale[0] > 1.3 && wider.scale[1] === 1);
  assert.ok(Math.abs(placed([300, 350], wider)[0] - 300) < 1e-6);
});

test("a preview made for another placing is not shown", () => {
  /** @type {any} */
  const image = {};
  const { stage } = makeStage({ selection: THING }, { preview: { image, box: [0, 0, 10, 10] } });
  pull(stage, MIDDLE, [280, 205]).end();
  assert.equal(stage.interaction.stale?.image, image);
});

test("a pull on nothing draws a box, cut to the image; a slip draws none", () => {
  const { stage, reported } = makeStage({});
  pull(stage, [100, 90], [30, 140]).end();
  assert.deepEqual(reported, [["onBox", [0, 100, 100, 200]]]);
  pull(stage, [100, 90], [102, 200]).end();
  assert.equal(reported.length, 1);
});

test("clicks pick; shift adds, alt removes, the panel's choice holds without them", () => {
  const { stage, reported } = makeStage({}, { how: "add" });
  tapped(stage, [100, 90], keys(), false);
  tapped(stage, [100, 90], keys({ altKey: true }), false);
  stage.scene = { ...stage.scene, how: undefined };
  tapped(stage, [100, 90], keys(), false);
  tapped(stage, [100, 90], keys({ shiftKey: true }), false);
  assert.deepEqual(reported, ["add", "remove", "new", "add"].map((how) => ["onPick", [100, 100], how]));
});

test("a click on what an edit has put somewhere chooses the edit, one beside the image lets go", () => {
  const { stage, reported } = makeStage({ edits: [MOVE] });
  const there = /** @type {Point} */ ([MIDDLE[0] + 80, MIDDLE[1]]); // in the moved object, not where it came from
  assert.equal(editAt(stage, there), 3);
  assert.equal(cursorAt(stage, there), "pointer");
  tapped(stage, there, keys(), false);
  tapped(stage, [5, 5], keys(), false);
  assert.deepEqual(reported, [["onChoose", 3], ["onChoose", null]]);
});

test("an erased object can be dragged, and a click on a chosen edit's object keeps it chosen", () => {
  const { stage, reported } = makeStage({ edits: [{ id: 4, kind: "remove", hidden: false, selection: THING }], chosen: 4 });
  tapped(stage, MIDDLE, keys(), false);
  assert.equal(reported.length, 0);
  pull(stage, MIDDLE, [MIDDLE[0] + 20, MIDDLE[1]]).end();
  assert.deepEqual(reported.at(-1)?.[1].offset, [40, 0]);
});

test("brush and lasso correct the mask of what is worked on, where it lies", () => {
  const paste = /** @type {Edit} */ ({ ...MOVE, kind: "paste", image: DOC.picture });
  /** @type {[any, any][]} */
  const cases = [
    [{ selection: THING }, THING.mask],
    [{ edits: [MOVE], chosen: 3 }, THING.mask],
    [{ edits: [paste], chosen: 3 }, null],
    [{ selection: THING, edits: [paste], chosen: 3 }, null],
    [{}, null],
  ];
  for (const [doc, expected] of cases) {
    assert.equal(correctedMask(makeStage(doc, { tool: "brush" }).stage.scene), expected);
    assert.equal(correctedMask(makeStage(doc, { tool: "select" }).stage.scene), null);
  }
});

test("hidden edits are not there", () => {
  const { stage } = makeStage({ edits: [{ ...MOVE, hidden: true }], chosen: 3 });
  assert.equal(editAt(stage, [MIDDLE[0] + 80, MIDDLE[1]]), null);
  assert.equal(subjectOf(stage.scene.doc), null);
});

test("arrows: pulled anew, grabbed by an end, dropped when too short, removed by a double tap", () => {
  const { stage, reported } = makeStage({}, { tool: "drag" });
  pull(stage, [100, 90], [150, 90]).end();
  assert.deepEqual(reported.at(-1), ["onArrows", [[[100, 100], [200, 100]]], true]);
  pull(stage, [100, 90], [101, 90]).end();
  assert.deepEqual(reported.at(-1), ["onArrows", [], false]);

  /** @type {Edit} */
  const drag = { id: 1, kind: "drag", hidden: false, points: [[[100, 100], [200, 100]], [[300, 300], [400, 300]]], selection: null };
  const second = makeStage({ edits: [drag], chosen: 1 }, { tool: "drag" });
  pull(second.stage, [203, 192], [213, 202]).end(); // 3 and 2 CSS pixels beside the tail of the second one
  assert.deepEqual(second.reported.at(-1)?.[1], [drag.points[0], [[320, 320], [400, 300]]]);
  second.stage.interaction.arrows = null;
  tapped(second.stage, [125, 90], keys(), true);
  assert.deepEqual(second.reported.at(-1), ["onArrows", [drag.points[1]], true]);
});

test("landmarks: dragged, added on empty ground, removed without touching the others", () => {
  /** @type {Edit} */
  const face = { id: 1, kind: "landmarks", hidden: false, from: [[100, 100], [300, 300]], to: [[100, 100], [300, 300]] };
  const { stage, reported } = makeStage({ edits: [face], chosen: 1 }, { tool: "landmarks" });
  pull(stage, [100, 90], [120, 80]).end();
  assert.deepEqual(reported.at(-1), ["onLandmarks", [[140, 80], [300, 300]], true]);
  tapped(stage, [300, 240], keys(), false);
  assert.deepEqual(reported.at(-1)?.[1], [...face.to, [500, 400]]);
  tapped(stage, [100, 90], keys(), true);
  assert.equal(reported.at(-1)?.[1][0], face.to[1]);
});

test("while a job runs, or on nothing, a pull only moves the view", () => {
  const { stage, reported } = makeStage({ selection: THING }, { busy: true });
  const pan = stage.viewport.pan;
  pull(stage, MIDDLE, [MIDDLE[0] + 10, MIDDLE[1]]).end();
  assert.deepEqual([stage.viewport.pan[0] - pan[0], reported.length], [10, 0]);
  assert.equal(pressed(stage, MIDDLE, keys()), null);
  const empty = makeStage({ ...DOC, picture: null }, { tool: "brush" });
  assert.equal(pressed(empty.stage, MIDDLE, keys()), null);
});

test("the line between before and after follows the pointer and is reported", () => {
  /** @type {any} */
  const image = {};
  const { stage, reported } = makeStage({}, { compare: { image, split: 0.5 } });
  pull(stage, [300, 200], [400, 200]).end();
  assert.deepEqual(reported.at(-1), ["onSplit", 0.7]);
});

test("two fingers: the view keeps what is under them, an object goes along", () => {
  const { stage, reported } = makeStage({ selection: THING });
  const under = [stage.viewport.toPicture([200, 200]), stage.viewport.toPicture([300, 200])];
  pinchingView(stage, [[200, 200], [300, 200]]).follow([[180, 230], [330, 230]]);
  const seen = under.map((p) => stage.viewport.toScreen(p));
  assert.ok(Math.abs(seen[0][0] - 180) < 1e-6 && Math.abs(seen[1][0] - 330) < 1e-6 && Math.abs(seen[0][1] - 230) < 1e-6);

  const again = makeStage({ selection: THING });
  const subject = subjectOf(again.stage.scene.doc);
  assert.ok(subject);
  const pinch = pinchingSubject(again.stage, subject, [[200, 215], [300, 215]]);
  pinch.follow([[250, 265], [250, 165]]); // a quarter turn clockwise, the first finger now below: counter-clockwise from it to the second
  pinch.end();
  const { scale, angle, offset } = again.reported.at(-1)?.[1];
  [scale[0] - 1, angle - 90, ...offset].forEach((rest) => assert.ok(Math.abs(rest) < 1e-6));
  assert.equal(reported.length, 0);
});
