// Tabs: each has a document of its own; a new one alone goes on with the last, beside another begins without one.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import { begin, push } from "../../../../src/dragondiffusion/web/static/model/history.js";
import { loadSaved, saveHistory } from "../../../../src/dragondiffusion/web/static/model/persistence.js";
import { afterOtherTab, loadKept, saveShared, withPainted } from "../../../../src/dragondiffusion/web/static/model/shared.js";
import { firstState } from "../../../../src/dragondiffusion/web/static/model/state.js";
import { isOnlyTab, tabStorage } from "../../../../src/dragondiffusion/web/static/model/tab.js";
import { Http } from "../../../../src/dragondiffusion/web/static/net/http.js";
import { picture } from "../samples.js";

const [cup, ring] = ["cup", "ring"].map((name) => document.openPicture(document.emptyDoc(), picture(name)));
const session = /** @type {any} */ ({ session: "token", pictures: [picture("cup"), picture("ring")], jobs: [] });

/** A browser's storage.
 * @param {number} [room]  characters of a value at most */
function memory(room = Infinity) {
  /** @type {Map<string, string>} */
  const values = new Map();
  return {
    getItem: (/** @type {string} */ key) => values.get(key) ?? null,
    setItem(/** @type {string} */ key, /** @type {string} */ value) {
      if (value.length > room) throw new Error("QuotaExceededError");
      values.set(key, value);
    },
  };
}

/** @param {any} doc @param {import("../../../../src/dragondiffusion/web/static/model/tab.js").Storage} storage */
const save = (doc, storage) => saveHistory({ ...firstState(), session, history: begin(doc) }, storage);

/** @param {import("../../../../src/dragondiffusion/web/static/model/tab.js").Storage} storage */
const load = (storage) => loadSaved(session, [], storage).history.present;

test("two tabs are two documents, also after a reload of either", () => {
  const common = memory();
  const [one, other] = [tabStorage(memory(), common), tabStorage(memory(), common)];
  save(cup, one);
  save(ring, other);
  assert.deepEqual([load(one), load(other)], [cup, ring]);
});

test("a duplicated tab goes on from the same document by itself", () => {
  const [own, copy, common] = [memory(), memory(), memory()];
  const tab = tabStorage(own, common);
  save(cup, tab);
  copy.setItem("dragondiffusion-page", /** @type {string} */ (own.getItem("dragondiffusion-page"))); // as browsers do
  const twin = tabStorage(copy, common);
  assert.deepEqual(load(twin), cup);
  save(ring, twin);
  assert.deepEqual([load(tab), load(twin)], [cup, ring]);
});

test("a tab that is opened later goes on with the last document", () => {
  const common = memory();
  save(cup, tabStorage(memory(), common));
  assert.deepEqual(load(tabStorage(memory(), common)), cup);
});

test("tabs know whether they are alone", async () => {
  /** @type {{name: string}[]} */
  const held = [];
  const locks = /** @type {any} */ ({ query: async () => ({ held: [...held] }), request: async (/** @type {string} */ name) => void held.push({ name }) });
  assert.deepEqual([await isOnlyTab(locks), await isOnlyTab(locks), await isOnlyTab(undefined)], [true, false, true]);
});

test("a tab keeps its session when another has begun one", async () => {
  const common = memory();
  const own = [memory(), memory()];
  let begun = 0;
  /** @type {any} */
  const answers = async (/** @type {string} */ _url, /** @type {any} */ { method, headers }) => {
    const token = method === "POST" ? `token ${++begun}` : headers.get("X-Session");
    return new Response(JSON.stringify({ session: token }), { status: 200 });
  };
  const open = (/** @type {number} */ k) => new Http("/", { fetch: answers, storage: tabStorage(own[k] ?? null, common) });
  const first = [open(0), open(1)]; // at the same time
  assert.deepEqual(await Promise.all(first.map(async (tab) => (await tab.session()).session)), ["token 1", "token 2"]);
  assert.deepEqual([(await open(0).session()).session, (await open(1).session()).session], ["token 1", "token 2"]);
});

test("the history survives a reload: undo and redo, results that are still there, and what runs", () => {
  const storage = memory();
  const shown = { ...cup, shown: "gone" };
  const docs = [ring, cup, shown, { ...cup, shown: "done" }, document.openPicture(cup, picture("lost")), { ...ring, shown: "done" }];
  const history = { ...docs.slice(1).reduce(push, begin(/** @type {any} */ (docs[0]))), future: [/** @type {any} */ (cup)] };
  saveHistory({ ...firstState(), session, history, watched: "running" }, storage);
  const loaded = loadSaved({ ...session, jobs: [{ id: "done", state: "done" }] }, [], storage);
  assert.deepEqual(loaded.history.past, [ring, cup, { ...cup, shown: "done" }], "results that are gone are no steps, nor are lost images");
  assert.deepEqual([loaded.history.present, loaded.history.future, loaded.watched], [{ ...ring, shown: "done" }, [cup], "running"]);
});

test("where there is little room fewer steps are saved, and the document in any case", () => {
  const long = Array.from({ length: 50 }, (_, k) => document.setChoices(ring, { seed: k, prompt: "x".repeat(400) }));
  const history = long.reduce(push, begin(cup));
  const storage = memory(15_000);
  saveHistory({ ...firstState(), session, history }, storage);
  const loaded = loadSaved(session, [], storage).history;
  assert.deepEqual([loaded.present, loaded.past.length], [long[49], 10]);
});

test("results that are kept are those of all tabs, and those that earlier versions saved", () => {
  const storage = memory();
  storage.setItem("dragondiffusion-page", JSON.stringify({ version: 2, session: "token", doc: cup, pinned: ["a"] }));
  assert.deepEqual([...loadKept(session, storage)], ["a"]);
  storage.setItem("dragondiffusion-kept", JSON.stringify({ session: "token", jobs: ["b"] }));
  assert.deepEqual([...loadKept(session, storage)], ["b"]);
  assert.deepEqual([...loadKept({ ...session, session: "other" }, storage)], []);
});

test("what is painted back into a result is so in all tabs, and steps of undo of the others stay their own", () => {
  const [storage, key] = [memory(), "dragondiffusion-painted"];
  const mask = (/** @type {string} */ name) => /** @type {any} */ ({ name });
  const saved = (/** @type {any} */ history) => {
    const before = storage.getItem(key);
    saveShared({ ...firstState(), session, history }, storage);
    return /** @type {const} */ ([before, storage.getItem(key)]);
  };
  const one = push(begin(cup), document.paintBack(cup, "a", mask("first")));
  const other = push(begin(ring), document.paintBack(ring, "b", mask("own")));
  const told = afterOtherTab(other, session, ...saved(one));
  assert.deepEqual(told.present.backs, { a: mask("first"), b: mask("own") });
  assert.deepEqual(told.past.map(({ backs }) => backs), [{ a: mask("first") }]);
  assert.equal(afterOtherTab(told, session, ...saved(one)), told, "nothing new changes nothing, so that tabs do not call forth and back");
  assert.deepEqual(withPainted(begin(ring), session, storage).present.backs, { a: mask("first") });
  const undone = afterOtherTab(told, session, ...saved(begin(cup)));
  assert.deepEqual([undone.present.backs, undone.past[0]?.backs], [{ b: mask("own") }, {}]);
  const foreign = { ...session, session: "other" };
  assert.equal(withPainted(one, foreign, storage), one);
});
