// Laws of undo and redo over random sequences of actions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyDoc, openPicture } from "../../../../src/dragondiffusion/web/static/model/document.js";
import * as history from "../../../../src/dragondiffusion/web/static/model/history.js";
import { frozen, number, picture, random, someChange } from "../samples.js";

/** @typedef {import("../../../../src/dragondiffusion/web/static/model/history.js").History} History */

const first = frozen(openPicture(emptyDoc(), picture()));

/** A history of random actions, undone and redone in between.
 * @param {number} seed
 * @param {number} length
 * @returns {History} */
function someHistory(seed, length) {
  const r = random(seed);
  let now = history.begin(first);
  for (let k = 0; k < length; k++) {
    const what = number(r, 10);
    if (what === 0) now = history.undo(now);
    else if (what === 1) now = history.redo(now);
    else if (what < 4) now = history.during(now, frozen(someChange(now.present, r)), `gesture ${number(r, 2)}`);
    else if (what === 4) now = history.finish(now, frozen(someChange(now.present, r)), "gesture 0");
    else if (what === 5) now = history.callOff(now);
    else now = history.push(now, frozen(someChange(now.present, r)));
    frozen(now);
  }
  return history.settle(now);
}

/** @param {History} now
 * @param {(now: History) => History} step
 * @param {number} times
 * @returns {History} */
function repeated(now, step, times) {
  for (let k = 0; k < times; k++) now = step(now);
  return now;
}

test("undo as often as one likes, then redo as often: all is as before", () => {
  for (let seed = 0; seed < 60; seed++) {
    const now = someHistory(seed, 50);
    for (let n = 0; n <= now.past.length; n++) {
      assert.deepEqual(repeated(repeated(now, history.undo, n), history.redo, n), now);
    }
    for (let n = 0; n <= now.future.length; n++) {
      assert.deepEqual(repeated(repeated(now, history.redo, n), history.undo, n), now);
    }
  }
});

test("undoing everything leads to the first document, unchanged", () => {
  const now = someHistory(3, 120);
  assert.equal(repeated(now, history.undo, 500).present, first);
});

test("undo after a change is where one was, and a change after undo forgets what was undone", () => {
  const r = random(8);
  const [a, b] = [frozen(someChange(first, r)), frozen({ ...first })];
  const changed = history.push(history.begin(first), a);
  assert.equal(history.undo(changed).present, first);
  const other = history.push(history.undo(changed), b);
  assert.ok(!history.canRedo(other));
  assert.equal(history.redo(other).present, b);
});

test("a gesture is one entry, however many changes it makes", () => {
  const docs = Array.from({ length: 30 }, () => frozen({ ...first }));
  let now = history.begin(first);
  for (const doc of docs) now = history.during(now, doc, "place");
  now = history.finish(now, /** @type {any} */ (docs[29]), "place");
  assert.equal(now.past.length, 1);
  assert.equal(now.present, docs[29]);
  assert.equal(history.undo(now).present, first);
});

test("a second gesture of the same name is an entry of its own", () => {
  let now = history.finish(history.begin(first), frozen({ ...first }), "place");
  now = history.finish(now, frozen({ ...first }), "place");
  assert.equal(now.past.length, 2);
});

test("a gesture that is called off leaves nothing", () => {
  const begun = history.push(history.begin(first), frozen({ ...first }));
  const during = history.during(history.during(begun, frozen({ ...first }), "place"), frozen({ ...first }), "place");
  assert.deepEqual(history.callOff(during), begun);
  assert.equal(history.callOff(begun), begun);
});

test("a change that changes nothing is no entry", () => {
  const now = history.begin(first);
  assert.ok(!history.canUndo(history.push(now, first)));
  assert.ok(!history.canUndo(history.during(now, first, "place")));
});

test("the past is bounded", () => {
  let now = history.begin(first);
  for (let k = 0; k < history.LIMIT + 50; k++) now = history.push(now, { ...first });
  assert.equal(now.past.length, history.LIMIT);
});
