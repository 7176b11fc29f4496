// A kind of edit that only the server knows: the page makes a form for it, and the recipe gets what the form says.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import { newFormEdit } from "../../../../src/dragondiffusion/web/static/model/kinds.js";
import { problems } from "../../../../src/dragondiffusion/web/static/model/problems.js";
import { toRecipe } from "../../../../src/dragondiffusion/web/static/model/recipe.js";
import { firstState, Store } from "../../../../src/dragondiffusion/web/static/model/state.js";
import { makeForm, parsed } from "../../../../src/dragondiffusion/web/static/panels/edit_form.js";
import { installDocument } from "../dom_double.js";
import { picture, selection } from "../samples.js";
import { TINT } from "../tint.js";

/** @typedef {import("../dom_double.js").ElementDouble} ElementDouble */

installDocument();

/** The form of a new edit of a selected object, and what a person does in it. */
function opened() {
  const store = new Store(firstState(), () => undefined);
  const doc = document.select(document.openPicture(document.emptyDoc(), picture()), selection("thing"));
  store.push(document.addEdit(doc, newFormEdit(TINT, doc.selection)));
  const pickers = { image: async () => picture("other"), object: async () => selection("object in other") };
  const form = makeForm(/** @type {any} */ ({ store }), 1, TINT, pickers);
  const elements = /** @type {ElementDouble[]} */ (/** @type {unknown} */ (form.elements)).flatMap((each) => each.all);
  const update = () => form.update(/** @type {any} */ (store.doc.edits[0]), store.doc);
  /** @param {string} name */
  const input = (name) => /** @type {ElementDouble} */ (elements.find((each) => each.attributes["data-field"] === name));
  /** @param {string} name @param {string} value */
  const type = async (name, value) => {
    input(name).value = value;
    await input(name).fire("input");
    update();
  };
  /** @param {string} words @param {number} [k] */
  const press = async (words, k = 0) => {
    await elements.filter((each) => each.tag === "button" && each.words === words)[k]?.fire("click");
    update();
  };
  update();
  return { store, elements, input, type, press, rows: /** @type {ElementDouble[]} */ (/** @type {unknown} */ (form.elements)) };
}

test("each field has a control under its title, with its help", () => {
  const { rows } = opened();
  assert.deepEqual(rows.map(({ words }) => words.split(" (required)")[0]?.split(" ")[0]), TINT.fields.map(({ title }) => title.split(" ")[0]));
  assert.deepEqual(rows.map(({ attributes }) => attributes.title), TINT.fields.map(({ help }) => help));
});

test("a new edit takes the selection; what is missing is said, and becomes part of the recipe once it is set", async () => {
  const { store, type, press } = opened();
  assert.deepEqual(toRecipe(store.doc).edits, [], "without effect until it is complete");
  assert.deepEqual(problems(store.doc), ["Tint all: set image, reference mask, amount."]);
  await press("Select it");
  assert.match(store.state.note?.text ?? "", /Choose the image first/);
  await press("Choose an image");
  await press("Select it");
  await type("amount", "0.25");
  assert.deepEqual(problems(store.doc), []);
  const complete = { edit: "tint_all", mask: "thing", image: "other", reference_mask: "object in other", amount: 0.25 };
  assert.deepEqual(toRecipe(store.doc).edits, [complete], "defaults are left to the server");
});

test("numbers, switches, choices, texts and JSON go into the recipe, and empty fields leave it", async () => {
  const { store, type, press, input } = opened();
  await press("Choose an image");
  await press("Select it");
  await type("amount", "1");
  await type("times", "5");
  input("softly").checked = false;
  await input("softly").fire("change");
  await type("geometry", "centred");
  await type("label", "a cup");
  await type("at", "[3, 4]");
  const [edit] = toRecipe(store.doc).edits;
  const { times, softly, geometry, label, at } = edit;
  assert.deepEqual({ times, softly, geometry, label, at }, { times: 5, softly: false, geometry: "centred", label: "a cup", at: [3, 4] });
  await type("times", "");
  assert.equal("times" in toRecipe(store.doc).edits[0], false);
});

test("what a field does not take is marked and stays out of the recipe", async () => {
  const { store, type, input } = opened();
  await type("times", "2");
  await type("times", "2.5");
  assert.equal(input("times").validity.valid, false);
  assert.equal(/** @type {any} */ (store.doc.edits[0]).values.times, 2);
  const [number, json] = [TINT.fields[3], TINT.fields[9]];
  assert.ok(number && json);
  assert.throws(() => parsed("much", number), /number/);
  assert.throws(() => parsed("[1", json), /JSON/);
});

test("a further mask comes from a new selection; another image drops the mask that was selected in the old one", async () => {
  const { store, press } = opened();
  await press("Choose an image");
  await press("Select it");
  await press("Use the selection", 1);
  assert.match(store.state.note?.text ?? "", /Select the hint/);
  store.push(document.select(store.doc, selection("region")));
  await press("Use the selection", 1);
  const edit = /** @type {any} */ (store.doc.edits[0]);
  assert.equal(edit.masks.hint.mask.name, "region");
  assert.deepEqual([store.doc.selection, store.doc.chosen], [null, 1]);
  await press("Choose an image");
  assert.deepEqual(Object.keys(/** @type {any} */ (store.doc.edits[0]).masks), ["hint"]);
});
