// Documents: what each action makes of them, and that none is ever changed in place.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import * as edits from "../../../../src/dragondiffusion/web/static/model/edits.js";
import * as inspection from "../../../../src/dragondiffusion/web/static/model/inspection.js";
import { frozen, mask, picture, placing, random, selection, someChange } from "../samples.js";

const open = frozen(document.openPicture(document.emptyDoc(), picture()));

test("no action changes a document in place, and ids stay unique", () => {
  for (let seed = 0; seed < 40; seed++) {
    const r = random(seed);
    let doc = open;
    for (let k = 0; k < 60; k++) {
      doc = frozen(someChange(doc, r));
      assert.equal(new Set(doc.edits.map(({ id }) => id)).size, doc.edits.length);
      assert.ok(doc.chosen === null || doc.edits.some(({ id }) => id === doc.chosen));
      assert.ok(doc.selection === null || doc.chosen === null, "a free selection and a chosen edit exclude each other");
    }
  }
});

test("dragging a selected object makes a move of it, dragging on changes that move", () => {
  const moved = edits.place(document.select(open, selection()), placing());
  assert.deepEqual(moved.edits, [{ id: 1, kind: "move", hidden: false, selection: selection(), placing: placing() }]);
  assert.equal(moved.selection, null);
  const further = edits.place(moved, placing({ offset: [80, 0] }));
  assert.equal(further.edits.length, 1);
  assert.deepEqual(further.edits[0], { ...moved.edits[0], placing: placing({ offset: [80, 0] }) });
});

test("smaller and larger go through what the clicks may mean; what was found stays known to further clicks", () => {
  const others = ["small.png", "mask.png", "large.png"].map((name) => mask(name));
  const found = frozen({ ...selection(), mask: others[1], found: others[1], notes: ["it may be too much"], others });
  const larger = document.beside(found, 1);
  assert.ok(larger);
  assert.deepEqual([larger.mask.name, larger.found?.name, larger.notes], ["large.png", "mask.png", []]);
  assert.equal(document.beside(larger, 1), null);
  assert.deepEqual(document.beside(larger, -1)?.mask, found.mask);
  assert.equal(document.beside({ ...found, mask: mask("painted.png") }, 1), null);
  assert.equal(document.beside(selection(), 1), null);
});

test("erasing turns a selection, or a move of it, into a removal", () => {
  const selected = document.select(open, selection());
  const [once, after] = [edits.eraseSelection(selected), edits.eraseSelection(edits.place(selected, placing()))];
  for (const doc of [once, after]) assert.deepEqual(doc.edits.map(({ kind }) => kind), ["remove"]);
});

test("an object that was erased can be dragged back to life", () => {
  const doc = edits.place(edits.eraseSelection(document.select(open, selection())), placing());
  assert.deepEqual(doc.edits, [{ id: 1, kind: "move", hidden: false, selection: selection(), placing: placing() }]);
});

test("corrections go to the chosen edit, else to the selection", () => {
  const free = document.correct(document.select(open, selection("a")), selection("b"));
  assert.equal(free.selection?.mask.name, "b");
  const edit = document.correct(edits.eraseSelection(free), selection("c")).edits[0];
  assert.ok(edit?.kind === "remove" && edit.selection.mask.name === "c");
});

test("arrows: drawn, changed, the last one deleted", () => {
  const drawn = edits.setArrows(open, [[[1, 2], [3, 4]]]);
  const changed = edits.setArrows(drawn, [[[1, 2], [9, 9]]]);
  assert.deepEqual(changed.edits.map((edit) => edit.kind === "drag" && edit.points), [[[[1, 2], [9, 9]]]]);
  assert.deepEqual(edits.setArrows(changed, []).edits, []);
});

test("landmarks keep their beginning when one is moved, added or taken away", () => {
  /** @type {import("../../../../src/dragondiffusion/web/static/model/types.js").Point[]} */
  const face = [[10, 10], [20, 10], [15, 20]];
  let doc = edits.setLandmarks(open, face);
  const [a, b, c] = face;
  assert.ok(a && b && c);
  doc = edits.setLandmarks(doc, [a, [22, 12], c]);
  const moved = doc.edits[0];
  assert.ok(moved?.kind === "landmarks");
  assert.deepEqual([moved.from, moved.to], [face, [[10, 10], [22, 12], [15, 20]]]);
  const without = edits.setLandmarks(doc, moved.to.slice(1)).edits[0];
  assert.ok(without?.kind === "landmarks");
  assert.deepEqual([without.from, without.to], [face.slice(1), [[22, 12], [15, 20]]]);
  const more = edits.setLandmarks(doc, [...moved.to, [5, 5]]).edits[0];
  assert.ok(more?.kind === "landmarks");
  assert.deepEqual([more.from[3], more.to[3]], [[5, 5], [5, 5]]);
});

test("a copy of a moved object is pasted beside it from the same image", () => {
  const moved = edits.place(document.select(open, selection()), placing());
  const copy = edits.duplicateEdit(moved, 1).edits[1];
  assert.ok(copy?.kind === "paste");
  assert.equal(copy.image.name, "cup.png");
  assert.ok(copy.placing.offset[0] >= placing().offset[0] + 160, "clear of the first");
});

test("edits without effect are known as such", () => {
  const selected = document.select(open, selection());
  assert.ok(inspection.isIdle(/** @type {any} */ (edits.place(selected, document.UNMOVED).edits[0])));
  assert.ok(inspection.isIdle(/** @type {any} */ (edits.addAppearance(selected, picture("p"), null).edits[0])));
  assert.ok(inspection.isIdle(/** @type {any} */ (edits.setLandmarks(open, [[1, 1]]).edits[0])));
  assert.ok(!inspection.isIdle(/** @type {any} */ (edits.eraseSelection(selected).edits[0])));
});

test("namesOf lists all names that showing needs", () => {
  let doc = edits.addPaste(edits.eraseSelection(document.select(open, selection("a"))), picture("p"), selection("b"), placing());
  doc = edits.addAppearance(document.select(doc, selection("c")), picture("q"), selection("d"));
  const { images, masks } = inspection.namesOf(document.select(doc, selection("e")));
  assert.deepEqual([...images].sort(), ["cup.png", "p", "q"]);
  assert.deepEqual([...masks].sort(), ["a", "b", "c", "d", "e"]);
});

test("edits are made earlier or later one place at a time, and none leaves the list", () => {
  let doc = edits.place(document.select(open, selection("a")), placing());
  doc = frozen(edits.eraseSelection(document.select(doc, selection("b"))));
  const order = (/** @type {import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} */ one) => one.edits.map(({ id }) => id).join("");
  const later = document.reorderEdit(doc, 1, 1);
  assert.deepEqual([order(doc), order(later), later.chosen], ["12", "21", doc.chosen]);
  assert.deepEqual(document.reorderEdit(later, 1, -1), doc);
  assert.equal(document.reorderEdit(doc, 1, -1), doc);
  assert.equal(document.reorderEdit(doc, 2, 1), doc);
  assert.equal(document.reorderEdit(doc, 9, 1), doc);
});
