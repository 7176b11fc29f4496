// What is read out, and what stays on the image as long as it holds.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import * as edits from "../../../../src/dragondiffusion/web/static/model/edits.js";
import { begin } from "../../../../src/dragondiffusion/web/static/model/history.js";
import { firstState } from "../../../../src/dragondiffusion/web/static/model/state.js";
import { refusalOf } from "../../../../src/dragondiffusion/web/static/model/status.js";
import { spokenOf } from "../../../../src/dragondiffusion/web/static/panels/spoken.js";
import { needsBetter } from "../../../../src/dragondiffusion/web/static/panels/stage_notes.js";
import { picture, placing, selection } from "../samples.js";

const open = document.openPicture(document.emptyDoc(), picture());
const selected = document.select(open, selection());
const moved = edits.place(selected, placing({ offset: [12, -3] }));
const KINDS = /** @type {any} */ ([{ name: "move", title: "Move", fields: [], help: "" }, { name: "remove", title: "Remove", fields: [], help: "" }]);

/** @param {import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} doc @param {object} [more] */
const state = (doc, more = {}) => /** @type {any} */ ({ ...firstState(), kinds: KINDS, history: begin(doc), ...more });

/** @param {import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} a @param {import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} b */
const said = (a, b) => spokenOf(state(a), state(b));

test("opening, selecting, moving, scaling, turning, erasing and taking back are read out", () => {
  assert.equal(said(document.emptyDoc(), open), "“cup.png” is open, 640 by 480 pixels.");
  assert.equal(said(open, selected), "160 by 120 pixels, at the left.");
  assert.equal(said(selected, moved), "Move: 12 px right, 3 px up.");
  const turned = edits.place(moved, placing({ offset: [12, -3], scale: [1.5, 1.5], angle: 15, flip: true }));
  assert.equal(said(moved, turned), "Move: 12 px right, 3 px up, 150 %, turned 15°, flipped.");
  assert.equal(said(turned, moved), "Move: 12 px right, 3 px up.");
  assert.equal(said(moved, selected), "Move is taken back. 160 by 120 pixels, at the left.");
  assert.match(said(selected, edits.eraseSelection(selected)), /^Remove: 10 % of the image\.$/);
  assert.equal(said(selected, open), "Nothing is selected.");
  assert.equal(said(moved, document.hideEdit(moved, 1, true)), "Move: hidden.");
  assert.equal(said(document.clear(moved), moved), "Chosen: Move: 12 px right, 3 px up.");
  assert.equal(spokenOf(state(moved, { shown: "job" }), state(moved)), "Back at the edits.");
  assert.equal(said(moved, moved), "");
});

test("another order of the edits is read out", () => {
  const two = edits.eraseSelection(document.select(moved, selection("other")));
  assert.equal(said(two, document.reorderEdit(two, 1, 1)), "The order is: Remove, Move.");
  assert.doesNotMatch(said(two, document.deleteEdit(two, 1)), /order/);
});

test("why edits cannot be made stays on the image until they can, and not over a result", () => {
  const outside = edits.place(selected, placing({ offset: [5000, 0] }));
  assert.match(refusalOf(state(outside)) ?? "", /outside of the image/);
  assert.equal(refusalOf(state(moved)), null);
  assert.equal(refusalOf(state(moved, { refusal: "They contradict each other." })), "They contradict each other.");
  assert.equal(refusalOf(state(moved, { refusal: "x", shown: "job" })), null);
  assert.equal(refusalOf(state(open, { refusal: "x" })), null);
});

test("what the model is good for is said over every image that it is not made for", () => {
  const demo = { session: { good_for: "Drawn scenes." } };
  assert.ok(needsBetter(state(open, demo)));
  assert.ok(!needsBetter(state(document.openPicture(open, picture("scene", { drawn: true })), demo)));
  assert.ok(!needsBetter(state(document.emptyDoc(), demo)));
  assert.ok(!needsBetter(state(open, { session: { good_for: "" } })));
});
