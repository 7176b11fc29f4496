// Recipes: documents there and back, settings that choices stand for, sentences about what cannot work.
import assert from "node:assert/strict";
import { test } from "node:test";
import { choicesOf, settingsOf, triesOf } from "../../../../src/dragondiffusion/web/static/model/choices.js";
import * as document from "../../../../src/dragondiffusion/web/static/model/document.js";
import * as edits from "../../../../src/dragondiffusion/web/static/model/edits.js";
import * as inspection from "../../../../src/dragondiffusion/web/static/model/inspection.js";
import { about, apply } from "../../../../src/dragondiffusion/web/static/model/geometry.js";
import { problems } from "../../../../src/dragondiffusion/web/static/model/problems.js";
import { fromRecipe, toRecipe } from "../../../../src/dragondiffusion/web/static/model/recipe.js";
import { mask, picture, placing, selection } from "../samples.js";
import { everyEdit } from "../recipes.js";

/**
 * @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Choices} Choices
 * @typedef {import("../../../../src/dragondiffusion/web/static/model/types.js").Doc} Doc
 */

const open = document.openPicture(document.emptyDoc(), picture());

/** What the server knows of a document's names.
 * @param {Doc} doc */
function known(doc) {
  const { images, masks } = inspection.namesOf(doc);
  const [cup, thing] = [picture(), mask()];
  return {
    pictures: Object.fromEntries([...images].map((name) => [name, { ...cup, name, title: name }])),
    masks: Object.fromEntries([...masks].map((name) => [name, { ...thing, name }])),
  };
}

test("a recipe's document has the same recipe, for every kind of edit and choice", () => {
  /** @type {Partial<Choices>[]} */
  const choices = [
    {},
    { quality: "fast", seed: 7, prompt: "a cup", negative: "blur" },
    { quality: "best", keep: "most", strength: 0.35 },
    { keep: "little", advanced: { steps: 12, recall_window: { start: 0, stop: 0.5 }, guidance_scale: null } },
    { advanced: { preset: "reference", guidance_strength: null } },
  ];
  for (const each of choices) {
    const doc = document.setChoices(everyEdit(), each);
    const recipe = toRecipe(doc);
    assert.deepEqual(toRecipe(fromRecipe(structuredClone(recipe), known(doc))), recipe);
  }
});

test("what the page shows of edits and choices survives", () => {
  const doc = document.setChoices(everyEdit(), { quality: "best", keep: "little", strength: 1.5, seed: 3, prompt: "p", negative: "n" });
  const back = fromRecipe(toRecipe(doc), known(doc), { ...doc.choices, tries: 2 });
  assert.deepEqual(back.choices, { ...doc.choices, tries: 2 });
  assert.equal(back.picture?.name, doc.picture?.name);
  back.edits.forEach((edit, k) => {
    const old = /** @type {any} */ (doc.edits[k]);
    const now = /** @type {any} */ (edit);
    for (const name of ["kind", "hidden", "placing", "points", "from", "to", "pattern"]) assert.deepEqual(now[name], old[name]);
    assert.equal(now.selection?.mask.name, old.selection?.mask.name);
    assert.equal(now.image?.name, old.image?.name);
  });
});

test("settings have choices and those the same settings", () => {
  const settings = [
    { preset: "default" },
    { preset: "fast" },
    { preset: "default", steps: 30 },
    { preset: "fast", steps: 30 },
    { preset: "default", guidance_strength: 1.7, composite_feather: 3, clamp_margin: 1 },
    { preset: "default", composite_feather: 3 },
    { preset: "default", composite: false, clamp_rest: 0.7 },
    { preset: "default", composite: false, clamp_rest: 0.5 },
    { preset: "reference", noise_inside: 0.4 },
    { preset: "default", guidance_strength: 5 },
  ];
  for (const each of settings) {
    assert.deepEqual(settingsOf({ ...document.CHOICES, ...choicesOf(each) }), each);
  }
  const spelt = { preset: "default", composite: false, clamp_rest: 0.7 };
  assert.equal(choicesOf(spelt).keep, "little");
});

test("best means several tries", () => {
  assert.equal(triesOf(document.CHOICES), 1);
  assert.equal(triesOf({ ...document.CHOICES, quality: "best" }), 3);
  assert.equal(triesOf({ ...document.CHOICES, quality: "best", tries: 5 }), 5);
});

test("hidden edits and those without effect are left out", () => {
  const doc = edits.place(document.select(open, selection("a")), document.UNMOVED);
  const more = document.hideEdit(edits.eraseSelection(document.select(doc, selection("b"))), 2, true);
  assert.deepEqual(toRecipe(more).edits, []);
});

test("an anchor becomes an offset about the centroid, and every point goes where it went", () => {
  const edit = { edit: "move", mask: "mask.png", offset: [7, -3], scale: [1.5, 0.5], angle: 30, flip: true, anchor: [110, 205] };
  const recipe = { recipe: 1, image: "cup.png", edits: [edit] };
  const doc = fromRecipe(recipe, { pictures: { "cup.png": picture() }, masks: { "mask.png": mask() } });
  const move = doc.edits[0];
  assert.ok(move?.kind === "move");
  const [ours, theirs] = [about(mask().centroid, move.placing), about([110, 205], { ...placing(), ...edit, offset: [7, -3], scale: [1.5, 0.5] })];
  for (const point of /** @type {[number, number][]} */ ([[0, 0], [180, 160], [640, 33]])) {
    const [a, b] = [apply(ours, point), apply(theirs, point)];
    assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-9);
  }
});

test("missing images and unknown edits are refused", () => {
  assert.throws(() => fromRecipe({ image: "gone", edits: [] }, { pictures: {}, masks: {} }), /missing/);
  const recipe = { image: "cup.png", edits: [{ edit: "melt" }] };
  assert.throws(() => fromRecipe(recipe, { pictures: { "cup.png": picture() }, masks: {} }), /melt/);
});

test("what cannot work is said before the server is asked", () => {
  const thing = document.select(open, selection());
  const outside = edits.place(thing, placing({ offset: [2000, 0] }));
  const empty = edits.eraseSelection(document.select(open, selection("e", { area: 0 })));
  const beyond = edits.setArrows(open, [[[10, 10], [-5, 10]]]);
  /** @type {[Doc, RegExp][]} */
  const cases = [
    [document.emptyDoc(), /Open an image/],
    [open, /Tap an object/],
    [thing, /Drag the selected object/],
    [edits.place(thing, document.UNMOVED), /somewhere else/],
    [outside, /outside/],
    [empty, /empty/],
    [beyond, /outside/],
    [document.hideEdit(edits.eraseSelection(thing), 1, true), /hidden/],
    [edits.addAppearance(thing, picture("p"), null), /appearance/],
  ];
  for (const [doc, sentence] of cases) assert.match(problems(doc).join(" "), sentence);
  assert.deepEqual(problems(everyEdit()), []);
  assert.deepEqual(problems(edits.place(thing, placing({ offset: [-200, 0] }))), [], "partly outside is fine");
});
