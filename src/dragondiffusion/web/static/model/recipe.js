// Recipes, the package's format of jobs: from documents and back.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").EditKind} EditKind
 * @typedef {import("./types.js").Mask} Mask
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Placing} Placing
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Recipe} Recipe
 * @typedef {import("./types.js").Selection} Selection
 * @typedef {{pictures: Record<string, Picture>, masks: Record<string, Mask>}} Files
 */

import { choicesOf, settingsOf } from "./choices.js";
import { CHOICES } from "./document.js";
import { activeEdits } from "./inspection.js";
import { formFromRecipe, formToRecipe } from "./kinds.js";
import { about, apply, minus } from "./geometry.js";

/** Version of the format. */
const VERSION = 1;

/** The recipe of a document; hidden edits and those that do nothing yet are left out.
 * @param {Doc} doc
 * @returns {Recipe}
 * @throws {Error} without an image */
export function toRecipe(doc) {
  if (doc.picture === null) throw new Error("Open an image first.");
  return {
    recipe: VERSION,
    image: doc.picture.name,
    prompt: doc.choices.prompt,
    negative_prompt: doc.choices.negative,
    seed: doc.choices.seed,
    settings: settingsOf(doc.choices),
    edits: activeEdits(doc).map(editToRecipe),
  };
}

/** @param {Edit} edit
 * @returns {Recipe} */
function editToRecipe(edit) {
  switch (edit.kind) {
    case "move":
      return { edit: "move", mask: edit.selection.mask.name, ...placingToRecipe(edit.placing), ...given("hint", edit.hint) };
    case "remove":
      return { edit: "remove", mask: edit.selection.mask.name, ...given("hint", edit.hint) };
    case "paste":
      return {
        edit: "paste",
        image: edit.image.name,
        mask: edit.selection.mask.name,
        ...placingToRecipe(edit.placing),
        prompt: edit.prompt ?? edit.image.prompt ?? "",
      };
    case "appearance":
      return {
        edit: "appearance",
        mask: edit.selection.mask.name,
        image: edit.image.name,
        reference_mask: /** @type {Selection} */ (edit.reference).mask.name,
        prompt: edit.prompt ?? edit.image.prompt ?? "",
        pattern: edit.pattern,
      };
    case "drag":
      return { edit: "drag", points: edit.points, ...given("mask", edit.selection?.mask.name) };
    case "landmarks":
      return { edit: "landmarks", points_from: edit.from, points_to: edit.to };
    case "form":
      return formToRecipe(edit);
  }
}

/** @param {string} name
 * @param {unknown} value
 * @returns {Recipe} */
function given(name, value) {
  return value === undefined ? {} : { [name]: value };
}

/** @param {Placing} placing
 * @returns {Recipe} */
function placingToRecipe({ offset, scale, angle, flip }) {
  return { offset, scale: scale[0] === scale[1] ? scale[0] : scale, angle, flip };
}

/** The document of a recipe.
 * @param {Recipe} recipe
 * @param {Files} files  the images and masks that it names
 * @param {Doc["choices"]} [choices]  for choices that the recipe does not contain
 * @param {readonly EditKind[]} [kinds]  that the server has
 * @returns {Doc}
 * @throws {Error} where an image or mask is missing, or an edit is unknown */
export function fromRecipe(recipe, files, choices = CHOICES, kinds = []) {
  const edits = /** @type {Recipe[]} */ (recipe.edits);
  return {
    picture: pictureOf(recipe.image, files),
    selection: null,
    edits: edits.map((edit, k) => editFromRecipe(edit, k + 1, files, kinds)),
    chosen: edits.length === 1 ? 1 : null,
    shown: null,
    backs: {},
    choices: {
      ...choices,
      prompt: recipe.prompt ?? "",
      negative: recipe.negative_prompt ?? "",
      seed: recipe.seed ?? CHOICES.seed,
      ...choicesOf(recipe.settings ?? {}),
    },
  };
}

/** @param {Recipe} edit
 * @param {number} id
 * @param {Files} files
 * @param {readonly EditKind[]} kinds
 * @returns {Edit} */
function editFromRecipe(edit, id, files, kinds) {
  const common = { id, hidden: false };
  switch (edit.edit) {
    case "move": {
      const selection = selectionOf(edit.mask, files);
      return { ...common, kind: "move", selection, placing: placingOf(edit, selection), ...given("hint", edit.hint ?? undefined) };
    }
    case "remove":
      return { ...common, kind: "remove", selection: selectionOf(edit.mask, files), ...given("hint", edit.hint ?? undefined) };
    case "paste": {
      const [image, selection] = [pictureOf(edit.image, files), selectionOf(edit.mask, files)];
      const placing = placingOf(edit, selection);
      return { ...common, kind: "paste", image, selection, placing, prompt: edit.prompt ?? "" };
    }
    case "appearance":
      return {
        ...common,
        kind: "appearance",
        selection: selectionOf(edit.mask, files),
        image: pictureOf(edit.image, files),
        reference: selectionOf(edit.reference_mask, files),
        pattern: edit.pattern ?? true,
        prompt: edit.prompt ?? "",
      };
    case "drag": {
      const mask = edit.mask ?? null;
      return { ...common, kind: "drag", points: edit.points, selection: mask === null ? null : selectionOf(mask, files) };
    }
    case "landmarks":
      return { ...common, kind: "landmarks", from: edit.points_from, to: edit.points_to };
    default: {
      const spec = kinds.find(({ name }) => name === edit.edit);
      if (spec === undefined) throw new Error(`The server has no edit “${edit.edit}”.`);
      return { ...common, ...formFromRecipe(edit, spec, (name) => pictureOf(name, files), (name) => selectionOf(name, files)) };
    }
  }
}

/** @param {string} name
 * @param {Files} files
 * @returns {Picture} */
function pictureOf(name, files) {
  const picture = files.pictures[name];
  if (picture === undefined) throw new Error("An image of the recipe is missing.");
  return picture;
}

/** @param {string} name
 * @param {Files} files
 * @returns {Selection} */
function selectionOf(name, files) {
  const mask = files.masks[name];
  if (mask === undefined) throw new Error("A mask of the recipe is missing.");
  return { mask, found: null, points: [], outside: [] };
}

/** The placing about the mask's centroid, whatever anchor the recipe names.
 * @param {Recipe} edit
 * @param {Selection} selection
 * @returns {Placing} */
function placingOf(edit, selection) {
  const { offset = [0, 0], scale = 1, angle = 0, flip = false, anchor = null } = edit;
  /** @type {Placing} */
  const placing = { offset, scale: typeof scale === "number" ? [scale, scale] : scale, angle, flip };
  const { centroid } = selection.mask;
  return anchor === null ? placing : { ...placing, offset: minus(apply(about(anchor, placing), centroid), centroid) };
}
