// What follows from the state: the tool and the effect of taps, results as steps of the history, the status line.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import * as edits from "../../../../src/dragondiffusion/web/static/model/edits.js";
import { begin, canUndo } from "../../../../src/dragondiffusion/web/static/model/history.js";
import { firstState, sentences, Store } from "../../../../src/dragondiffusion/web/static/model/state.js";
import { byHand, statusOf } from "../../../../src/dragondiffusion/web/static/model/status.js";
import { leave } from "../../../../src/dragondiffusion/web/static/panels/shortcuts.js";
import { forget } from "../../../../src/dragondiffusion/web/static/net/running.js";
import { mask, picture, placing, selection } from "../samples.js";

const open = document.openPicture(document.emptyDoc(), picture());
const selected = document.select(open, selection());
const moved = edits.place(selected, placing());
const report = { arrived: 0.9, ghost: null, background: 1, score: 1, words: "arrived (90 %)" };
const [first, second] = ["first", "second"].map((id) => /** @type {any} */ ({ id, state: "done", report, notes: ["mind the gap"], recipe: { image: "cup.png" } }));
const preview = /** @type {any} */ ({ image: {}, box: [0, 0, 1, 1] });

/** A store with documents that were made one after the other.
 * @param {...import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} docs */
function makeStore(...docs) {
  const store = new Store({ ...firstState(), ready: true, jobs: [first, second], history: begin(open) }, () => undefined);
  for (const doc of docs) store.push(doc);
  return store;
}

test("taps that take away do so only while something is there to take away from", () => {
  for (const leave of /** @type {((store: Store) => void)[]} */ ([
    (store) => store.push(document.clear(store.doc)),
    (store) => store.undo(),
    (store) => store.push(document.openPicture(store.doc, picture("other"))),
    (store) => store.push(edits.addPaste(store.doc, picture("other"), selection("thing"), placing())),
  ])) {
    const store = makeStore(selected);
    store.set({ how: "remove" });
    assert.equal(store.state.how, "remove");
    leave(store);
    assert.equal(store.state.how, "new");
  }
});

test("a result is one step: undo closes it and leaves the move, redo opens it again", () => {
  const store = makeStore(selected, moved);
  store.arrive("first");
  assert.equal(store.state.shown, "first");
  store.undo();
  assert.deepEqual([store.state.shown, store.doc], [null, moved]);
  store.redo();
  assert.equal(store.state.shown, "first");
  store.undo();
  store.undo();
  assert.equal(store.doc, selected);
});

test("back to the edits is the same as undoing the result", () => {
  const store = makeStore(moved);
  const { past } = store.state.history;
  store.arrive("first");
  store.look(null);
  assert.deepEqual([store.state.shown, store.doc, store.state.history.past], [null, moved, past]);
  store.redo();
  assert.equal(store.state.shown, "first");
});

test("a second result of the same edits: undo goes back to the first", () => {
  const store = makeStore(moved);
  store.arrive("first");
  store.amend(document.setChoices(store.doc, { seed: 7 }));
  store.set({ watched: "second" });
  assert.equal(store.state.shown, null, "its intermediate images are seen while it runs");
  store.arrive("second");
  assert.deepEqual([store.state.shown, store.doc.choices.seed], ["second", 7]);
  store.undo();
  assert.equal(store.state.shown, "first");
  store.redo();
  store.look(null);
  assert.deepEqual([store.state.shown, store.doc.edits], [null, moved.edits]);
  store.undo();
  assert.equal(store.state.shown, "second");
});

test("a cancelled second run shows the first result again", () => {
  const store = makeStore(moved);
  store.arrive("first");
  store.set({ watched: "second" });
  store.set({ watched: null });
  assert.equal(store.state.shown, "first");
});

test("opening a result from the strip forgets nothing; undo closes it", () => {
  const store = makeStore(selected, moved);
  store.undo();
  const { history } = store.state;
  store.look("second");
  assert.deepEqual([store.state.shown, store.state.history], ["second", history]);
  store.undo();
  assert.deepEqual([store.state.shown, store.state.history], [null, history]);
  store.redo();
  assert.equal(store.doc, moved);
});

test("a change of the edits closes a result, and undo opens it again", () => {
  const store = makeStore(moved);
  store.arrive("first");
  store.push(document.hideEdit(store.doc, 1, true));
  assert.equal(store.state.shown, null);
  store.undo();
  assert.equal(store.state.shown, "first");
});

test("comparing ends with looking at another result", () => {
  const store = makeStore(moved);
  store.arrive("first");
  store.set({ compares: true, rival: "second" });
  store.set({ split: 0.4 });
  assert.deepEqual([store.state.compares, store.state.rival], [true, "second"]);
  store.look("second");
  assert.deepEqual([store.state.compares, store.state.rival], [false, null]);
});

test("a result that is deleted is in no step any more", async () => {
  const store = makeStore(moved);
  store.arrive("first");
  await forget(/** @type {any} */ ({ store, client: { forget: async () => undefined } }), "first");
  assert.deepEqual([store.state.shown, store.doc, store.state.jobs], [null, moved, [second]]);
  store.undo();
  assert.equal(store.doc, open);
  assert.ok(!canUndo(store.state.history));
});

test("Escape leaves one thing at a time: the gesture, the error, the result, the selection", () => {
  const store = makeStore(selected);
  store.arrive("first");
  store.set({ error: "The server does not answer." });
  const gestures = [true, false, false, false];
  const left = gestures.map((isRunning) => {
    leave(/** @type {any} */ ({ store }), { cancelGesture: () => isRunning });
    return [store.state.error, store.state.shown, store.doc.selection !== null];
  });
  const error = "The server does not answer.";
  assert.deepEqual(left, [[error, "first", true], [null, "first", true], [null, null, true], [null, null, false]]);
});

test("the tool fits what is worked on: after restoring, choosing, pasting, and with another image", () => {
  const drag = edits.setArrows(open, [[[1, 1], [9, 9]]]);
  const store = makeStore(drag);
  assert.equal(store.state.tool, "drag");
  store.adopt(moved);
  assert.equal(store.state.tool, "select");
  store.adopt(drag);
  assert.equal(store.state.tool, "drag");
  store.set({ tool: "brush" });
  store.push(edits.addPaste(store.doc, picture("other"), selection("thing"), placing()));
  assert.equal(store.state.tool, "select", "a pasted object can be dragged at once");
  store.push(document.choose(store.doc, 1));
  assert.equal(store.state.tool, "drag");
  store.push(document.continueFrom(store.doc, picture("result")));
  assert.equal(store.state.tool, "select");
  store.set({ tool: "lasso" });
  store.push(document.select(store.doc, selection()));
  assert.equal(store.state.tool, "lasso");
});

test("the status line says what is the case, and nothing that was", () => {
  const store = makeStore(open);
  const status = () => statusOf(store.state);
  assert.match(status(), /^Tap an object, then drag it\.$/);
  store.push(selected);
  assert.match(status(), /^Selected\. Drag it/);
  store.set({ tool: "lasso" });
  assert.match(status(), /^Selected\. Paint on/);
  store.push(document.clear(store.doc));
  assert.doesNotMatch(status(), /Selected/);
  store.push(moved);
  assert.equal(status(), "");
  store.set({ preview, tool: "select" });
  assert.match(status(), /^This is a preview/);
  store.set({ watched: "first" });
  assert.equal(status(), "Editing.");
  store.arrive("first");
  assert.equal(status(), sentences("Done", "arrived (90 %)", "mind the gap"));
  store.undo();
  assert.match(status(), /^This is a preview/);
  store.set({ refusal: "They overlap." });
  assert.equal(status(), "They overlap.");
});

test("a message stays until what it is about has changed, and hides nothing that holds", () => {
  const store = makeStore(moved);
  store.set({ preview });
  store.say("Restored.");
  assert.equal(statusOf(store.state), "Restored. This is a preview. Press Edit for the result.");
  store.push(document.clear(store.doc));
  store.undo();
  store.push(document.hideEdit(store.doc, 1, true));
  assert.doesNotMatch(statusOf(store.state), /Restored/);
  store.set({ away: true });
  assert.match(statusOf(store.state), /does not answer/);
});

test("doubts about a selection are said as long as it is there", () => {
  const store = makeStore(document.select(open, { ...selection(), notes: ["the click is near a border"] }));
  assert.match(statusOf(store.state), /Selected\. .*The click is near a border\./);
  store.push(document.clear(store.doc));
  assert.doesNotMatch(statusOf(store.state), /border/);
});

test("where no landmarks are found the image says why and how to set them by hand, until there are some", () => {
  const landmarks = /** @type {const} */ ("landmarks");
  const session = /** @type {any} */ ({ faces: false });
  const state = { ...firstState(), session, tool: landmarks, history: begin(open) };
  assert.match(byHand(state) ?? "", /needs a model.*by hand: tap/);
  assert.match(byHand({ ...state, session: { ...session, faces: true } }) ?? "", /^No points of a face are known/);
  assert.equal(byHand({ ...state, tool: "select" }), null);
  assert.equal(byHand({ ...state, history: begin(document.openPicture(document.emptyDoc(), picture("face.png", { landmarks: [[1, 2]] }))) }), null);
  assert.equal(byHand({ ...state, history: begin(edits.setLandmarks(state.history.present, [[10, 20]])) }), null);
});

test("painting the original back is a step of history at the result, and goes with undo and redo", () => {
  const store = makeStore(moved);
  store.arrive("first");
  store.set({ tool: "original", how: "remove" });
  store.paintBack("first", mask("stroke"));
  store.paintBack("first", mask("strokes"));
  assert.deepEqual([store.state.shown, store.doc.backs.first?.name, store.state.tool], ["first", "strokes", "original"]);
  store.undo();
  assert.equal(store.doc.backs.first?.name, "stroke");
  store.undo();
  assert.deepEqual([store.state.shown, store.doc.backs], ["first", {}]);
  store.redo();
  store.paintBack("first", null); // erased again
  assert.deepEqual(store.doc.backs, {});
  store.undo();
  store.look(null);
  assert.deepEqual([store.state.shown, store.state.tool, store.state.how], [null, "select", "new"]);
  assert.equal(store.doc.backs.first?.name, "stroke"); // still there when the result is opened again
  store.push(document.continueFrom(store.doc, picture("result")));
  assert.equal(store.doc.backs.first?.name, "stroke");
});

test("painted on one from the strip, undo leads to that result as it was, then to the edits", () => {
  const store = makeStore(moved);
  store.look("second");
  store.paintBack("second", mask("stroke"));
  assert.equal(store.state.shown, "second");
  store.undo();
  assert.deepEqual([store.state.shown, store.doc.backs], ["second", {}]);
  store.undo();
  assert.deepEqual([store.state.shown, store.doc], [null, moved]);
});

test("the brush that paints the original back lasts as long as a result is looked at, and not beside before and after", () => {
  const store = makeStore(moved);
  store.arrive("first");
  store.set({ compares: true });
  store.set({ tool: "original" });
  assert.equal(store.state.compares, false);
  assert.match(statusOf(store.state), /^Paint where the original should come back/);
  leave(/** @type {any} */ ({ store }), { cancelGesture: () => false });
  assert.deepEqual([store.state.tool, store.state.shown], ["select", "first"]);
  store.paintBack("first", mask("stroke", { area: 0.034 }));
  assert.match(statusOf(store.state), /painted back over 3 % of it/);
});
