// Parts of the panels that need no browser: typed settings, first hints, initial placings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsed } from "../../../../src/dragondiffusion/web/static/panels/advanced.js";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import * as edits from "../../../../src/dragondiffusion/web/static/model/edits.js";
import { begin, push } from "../../../../src/dragondiffusion/web/static/model/history.js";
import { guideOf } from "../../../../src/dragondiffusion/web/static/panels/notices.js";
import { previewKey } from "../../../../src/dragondiffusion/web/static/net/previewing.js";
import { farthest } from "../../../../src/dragondiffusion/web/static/panels/tap_hint.js";
import { inTheMiddle } from "../../../../src/dragondiffusion/web/static/panels/second_image.js";
import { firstState, sentences, Store } from "../../../../src/dragondiffusion/web/static/model/state.js";
import { Views } from "../../../../src/dragondiffusion/web/static/net/views.js";
import { picture, placing, selection } from "../samples.js";

const open = document.openPicture(document.emptyDoc(), picture());

test("typed settings become values of their form, or are refused", () => {
  const number = { anyOf: [{ type: "number" }, { type: "null" }] };
  assert.equal(parsed(" 1.5 ", number), 1.5);
  assert.equal(parsed("none", number), null);
  assert.equal(parsed("", number), undefined);
  assert.throws(() => parsed("much", number), /number or none/);
  assert.equal(parsed("12", { type: "integer" }), 12);
  assert.throws(() => parsed("1.5", { type: "integer" }), /whole number/);
  assert.equal(parsed("true", { type: "boolean" }), true);
  assert.equal(parsed("centred", { enum: ["affine", "centred"] }), "centred");
  assert.deepEqual(parsed('{"start": 0, "stop": 0.5}', { type: "object" }), { start: 0, stop: 0.5 });
  assert.deepEqual(parsed("[0, 1]", { type: "array" }), [0, 1]);
});

test("a newcomer is led from tapping to dragging to Edit, and gets no hints afterwards", () => {
  const state = { ...firstState(), history: begin(open) };
  const at = (/** @type {import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} */ doc) => guideOf({ ...state, history: push(state.history, doc) });
  const selected = document.select(open, selection());
  assert.match(at(open) ?? "", /Tap/);
  assert.match(at(selected) ?? "", /drag/);
  assert.match(at(edits.place(selected, placing())) ?? "", /Edit/);
  assert.equal(guideOf({ ...state, jobs: [/** @type {any} */ ({ id: "j" })] }), null);
  assert.equal(at(document.emptyDoc()), null);
});

test("a preview is asked for again only when what is shown would differ", () => {
  const moved = edits.place(document.select(open, selection()), placing());
  assert.equal(previewKey(open), "");
  assert.equal(previewKey(moved), previewKey(document.setChoices(moved, { seed: 5, prompt: "x" })));
  assert.notEqual(previewKey(moved), previewKey(edits.place(moved, placing({ angle: 5 }))));
  assert.equal(previewKey(document.hideEdit(moved, 1, true)), "");
});

test("a pasted object begins in the middle and fits", () => {
  const wide = selection("wide", { box: [0, 0, 3000, 500], centroid: [1400, 260] });
  const { offset, scale } = inTheMiddle(wide, picture());
  assert.deepEqual(offset, [320 - 1400, 240 - 260]);
  assert.equal(scale[0], scale[1]);
  assert.ok(Math.abs(3000 * scale[0] - 320) < 2);
  assert.deepEqual(inTheMiddle(selection(), picture()).scale, [1, 1]);
});

test("what stands out is found, not the border it is near", () => {
  const side = 24;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(90);
  for (let y = 14; y < 19; y++) for (let x = 3; x < 8; x++) pixels.set([250, 40, 40, 255], 4 * (y * side + x));
  for (let x = 0; x < side; x++) pixels.set([0, 0, 0, 255], 4 * x); // a thin line
  const [x, y] = farthest(pixels, side);
  assert.ok(x * side > 4 && x * side < 7 && y * side > 15 && y * side < 18);
});

test("listeners are called once for many changes, and errors become notices", async () => {
  /** @type {(() => void)[]} */
  const due = [];
  const store = new Store(firstState(), (run) => void due.push(run));
  let reported = 0;
  store.listen(() => void reported++);
  store.say("a");
  store.say("b");
  assert.equal(due.length, 1);
  due[0]?.();
  assert.equal(reported, 1);
  assert.equal(await store.wait(async () => Promise.reject(new Error("the mask is empty"))), null);
  assert.deepEqual([store.state.error, store.state.busy], ["The mask is empty", 0]);
});

test("what is said are sentences", () => {
  assert.equal(sentences("Done", "", "arrived (95 %); no ghost", "Really?"), "Done. Arrived (95 %); no ghost. Really?");
});

test("views are fetched once, and again after a failure only when asked", async () => {
  /** @type {string[]} */
  const asked = [];
  const client = /** @type {any} */ ({ view: async (/** @type {string} */ name) => (asked.push(name), name === "bad" ? Promise.reject(new Error("gone")) : new Blob([name])) });
  let changes = 0;
  const views = new Views(client, () => void changes++, async (blob) => /** @type {any} */ (await blob.text()));
  assert.equal(views.get("a"), null);
  assert.equal(views.get("a"), null);
  assert.equal(await views.load("a"), "a");
  assert.equal(views.get("a"), "a");
  assert.equal(views.get("bad"), null);
  await assert.rejects(views.load("bad"));
  views.get("bad");
  assert.deepEqual([asked, changes], [["a", "bad"], 1]);
  assert.deepEqual([...views.several(["a", "bad"]).keys()], ["a"]);
});
