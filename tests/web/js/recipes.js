// Recipes of every kind of edit, for checks against the package's schema: `node recipes.js` prints them as JSON.
import { pathToFileURL } from "node:url";
import * as document from "../../../src/dragondiffusion/web/static/model/document.js";
import * as edits from "../../../src/dragondiffusion/web/static/model/edits.js";
import { toRecipe } from "../../../src/dragondiffusion/web/static/model/recipe.js";
import { picture, placing, selection } from "./samples.js";

/**
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Choices} Choices
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Doc} Doc
 */

const open = document.openPicture(document.emptyDoc(), picture());

/** @type {((doc: Doc) => Doc)[]} */
const EDITS = [
  (doc) => edits.place(document.select(doc, selection("a")), placing()),
  (doc) => edits.place(document.select(doc, selection("b")), placing({ scale: [1.5, 0.8], angle: -30, flip: true })),
  (doc) => edits.eraseSelection(document.select(doc, selection("c"))),
  (doc) => edits.addPaste(doc, picture("p", { prompt: "a ring" }), selection("d"), placing({ scale: [0.5, 0.5] })),
  (doc) => edits.addAppearance(document.select(doc, selection("e")), picture("q"), selection("f")),
  (doc) => edits.setArrows(document.clear(doc), [[[10, 10], [40, 20]], [[5, 5], [5, 30]]]),
  (doc) => limited(edits.setArrows(document.clear(doc), [[[100, 110], [140, 120]]])),
  (doc) => movedLandmarks(edits.setLandmarks(document.clear(doc), [[10, 10], [20, 10], [15, 20]])),
];

/** @type {Partial<Choices>[]} */
const CHOICES = [
  {},
  { quality: "fast", keep: "most", prompt: "a cup", negative: "blur", seed: 0 },
  { quality: "best", keep: "little", strength: 0 },
  { strength: 2, advanced: { steps: 12, feature_scales: [0, 1], geometry: "reference", recall_window: { start: 0, stop: 0.5 } } },
];

/** @param {Doc} doc
 * @returns {Doc} */
function limited(doc) {
  return document.changeEdit(doc, /** @type {number} */ (doc.chosen), { selection: selection("g") });
}

/** @param {Doc} doc
 * @returns {Doc} */
function movedLandmarks(doc) {
  return edits.setLandmarks(doc, [[10, 10], [22, 12], [15, 20]]);
}

/** A document with an edit of every kind.
 * @returns {Doc} */
export function everyEdit() {
  return EDITS.reduce((doc, add) => add(doc), open);
}

/** Recipes of each edit alone under each of some choices, and of all edits together.
 * @returns {object[]} */
export function recipes() {
  const docs = [...EDITS.map((add) => add(open)), everyEdit()];
  return docs.flatMap((doc) => CHOICES.map((choices) => toRecipe(document.setChoices(doc, choices))));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.log(JSON.stringify(recipes()));
