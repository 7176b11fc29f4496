// Results by the photograph that they came of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyDoc, openPicture } from "../../../../src/dragondiffusion/web/static/model/document.js";
import { groupsOf } from "../../../../src/dragondiffusion/web/static/model/groups.js";
import { begin } from "../../../../src/dragondiffusion/web/static/model/history.js";
import { picture } from "../samples.js";

/** @param {string} id @param {string} image @param {string | null} [result] */
const job = (id, image, result = null) => /** @type {any} */ ({ id, recipe: { image }, result: result === null ? null : picture(result, { title: `${result} edited.png` }) });

const session = /** @type {any} */ ({ pictures: [picture("cup"), picture("ring")] });
const jobs = [job("a", "cup", "cup2"), job("b", "ring", "ring2"), job("c", "cup2", "cup3"), job("d", "ring", null), job("e", "lost", "lost2")];

/** @param {string} open @param {string[]} [pinned] */
function grouped(open, pinned = []) {
  const history = begin(openPicture(emptyDoc(), picture(open)));
  return groupsOf({ jobs, session, history, pinned: new Set(pinned) }).map(({ title, jobs: own }) => [title, own.map(({ id }) => id).join("")]);
}

test("results stand with the photograph they began with, that of the open image first, the newest before", () => {
  assert.deepEqual(grouped("ring"), [["ring", "db"], ["lost2", "e"], ["cup", "ca"]]);
  assert.deepEqual(grouped("cup3"), [["cup", "ca"], ["lost2", "e"], ["ring", "db"]], "an image that is a result is of its photograph");
});

test("a result into which the original was painted back is of its photograph, and so is what came of it", () => {
  const painted = [{ ...job("a", "cup", "cup2"), painted: ["cup2 painted"] }, job("b", "cup2 painted", "cup3")];
  const history = begin(openPicture(emptyDoc(), picture("cup")));
  const groups = groupsOf({ jobs: painted, session, history, pinned: new Set() });
  assert.deepEqual(groups.map(({ title, jobs: own }) => [title, own.map(({ id }) => id).join("")]), [["cup", "ba"]]);
});

test("those that are kept come first", () => {
  assert.deepEqual(grouped("cup", ["a"])[0], ["cup", "ac"]);
});

test("a photograph that is its own result ends the search", () => {
  const history = begin(openPicture(emptyDoc(), picture("cup")));
  const same = [job("a", "cup", "cup")];
  assert.equal(groupsOf({ jobs: same, session, history, pinned: new Set() }).length, 1);
});
