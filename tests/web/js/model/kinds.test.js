// Edits that only the server knows, in documents and recipes.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import { masksOf, namesOf } from "../../../../src/dragondiffusion/web/static/model/inspection.js";
import { newFormEdit, titleOf, withField } from "../../../../src/dragondiffusion/web/static/model/kinds.js";
import { fromRecipe, toRecipe } from "../../../../src/dragondiffusion/web/static/model/recipe.js";
import { mask, picture, selection } from "../samples.js";
import { TINT } from "../tint.js";

const open = document.openPicture(document.emptyDoc(), picture());

/** @returns {import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} */
function tinted() {
  let doc = document.addEdit(open, newFormEdit(TINT, selection("thing")));
  /** @type {[string, unknown][]} */
  const fields = [["image", picture("other")], ["reference_mask", selection("like")], ["hint", selection("region")], ["amount", 0.5], ["softly", false]];
  for (const [name, value] of fields) {
    const edit = /** @type {any} */ (doc.edits[0]);
    const field = TINT.fields.find((each) => each.name === name);
    assert.ok(field);
    doc = document.changeEdit(doc, 1, withField(edit, field, value));
  }
  return doc;
}

test("a recipe of such an edit becomes the same edit again", () => {
  const recipe = toRecipe(tinted());
  assert.deepEqual(recipe.edits, [
    { edit: "tint_all", mask: "thing", image: "other", reference_mask: "like", hint: "region", amount: 0.5, softly: false },
  ]);
  const files = {
    pictures: { "cup.png": picture(), other: picture("other") },
    masks: { thing: mask("thing"), like: mask("like"), region: mask("region") },
  };
  const back = fromRecipe(recipe, files, document.CHOICES, [TINT]);
  assert.deepEqual(toRecipe(back), recipe);
  assert.equal(document.workedOn(back)?.mask.name, "thing", "brush and lasso correct its mask");
  assert.throws(() => fromRecipe(recipe, files), /no edit “tint_all”/);
});

test("its images and masks are among those that showing needs", () => {
  const { images, masks } = namesOf(tinted());
  assert.deepEqual([...images].sort(), ["cup.png", "other"]);
  assert.deepEqual([...masks].sort(), ["like", "region", "thing"]);
  assert.equal(masksOf(/** @type {any} */ (tinted().edits[0])).length, 3);
});

test("titles are the server's, for edits with gestures too", () => {
  const [tint, move] = [tinted().edits[0], document.addEdit(open, { kind: "remove", selection: selection() }).edits[0]];
  assert.ok(tint && move);
  const kinds = [TINT, { name: "remove", title: "Take away", help: "", fields: [] }];
  assert.deepEqual([titleOf(tint, kinds), titleOf(move, kinds), titleOf(move, [])], ["Tint all", "Take away", "remove"]);
});
