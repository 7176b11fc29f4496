// Documents in the browser's storage: of this version, of the first one, of later ones, and of edits that are gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import { begin } from "../../../../src/dragondiffusion/web/static/model/history.js";
import { newFormEdit } from "../../../../src/dragondiffusion/web/static/model/kinds.js";
import { loadSaved } from "../../../../src/dragondiffusion/web/static/model/persistence.js";
import { picture, selection } from "../samples.js";
import { TINT } from "../tint.js";

const SESSION = /** @type {any} */ ({ session: "token", pictures: [picture()], jobs: [] });
const open = document.openPicture(document.emptyDoc(), picture());
const erased = document.addEdit(open, { kind: "remove", selection: selection() });

/** @param {object} value
 * @param {readonly import("../../../../src/dragondiffusion/web/static/model/types.js").EditKind[]} [kinds] */
function loaded(value, kinds = []) {
  const text = JSON.stringify({ session: "token", ...value });
  const { history, ...rest } = loadSaved(SESSION, kinds, { getItem: () => text });
  return { ...rest, doc: history.present };
}

test("a document of this version comes back as it was", () => {
  const { doc, note } = loaded({ version: 3, history: begin(erased) });
  assert.deepEqual([doc, note], [erased, ""]);
});

test("a document without a version, as the first version saved it, comes back under the new names of settings", () => {
  const advanced = { hold_margin: 1, draft: false, steps: 12 };
  const { choices: _choices, ...old } = erased;
  const { doc, note } = loaded({ doc: { ...old, choices: { quality: "best", advanced } } });
  assert.deepEqual(doc.edits, erased.edits);
  assert.deepEqual(doc.choices, { ...document.CHOICES, quality: "best", advanced: { clamp_margin: 1, proxy: false, steps: 12 } });
  assert.equal(note, "");
});

test("a document of a later version is left out, with a sentence", () => {
  const { doc, note } = loaded({ version: 4, history: { strange: true } });
  assert.deepEqual(doc, document.emptyDoc());
  assert.match(note, /newer version/);
});

test("a document of the second version, which had no history, comes back", () => {
  const { shown: _shown, ...old } = erased;
  assert.deepEqual(loaded({ version: 2, doc: old }).doc, erased);
});

test("edits that the server no longer has are left out, with a sentence; others are as the server describes them now", () => {
  const both = document.addEdit(erased, newFormEdit(TINT, selection()));
  const without = loaded({ version: 2, doc: both });
  assert.deepEqual([without.doc.edits, without.doc.chosen], [erased.edits, null]);
  assert.match(without.note, /one of the saved edits/);
  const changed = { ...TINT, title: "Dye" };
  const { doc, note } = loaded({ version: 2, doc: both }, [changed]);
  assert.equal(/** @type {any} */ (doc.edits[1]).spec.title, "Dye");
  assert.deepEqual([doc.chosen, note], [2, ""]);
});

test("another session, lost images and broken entries begin anew", () => {
  const empty = document.emptyDoc();
  assert.deepEqual(loaded({ version: 2, session: "other", doc: erased }).doc, empty);
  assert.deepEqual(loaded({ version: 2, doc: document.openPicture(empty, picture("gone")) }).doc, empty);
  assert.deepEqual(loadSaved(SESSION, [], { getItem: () => "{" }).history.present, empty);
  assert.deepEqual(loadSaved(SESSION, [], { getItem: () => null }).history.present, empty);
});
