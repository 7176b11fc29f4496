// Recipes, the package's format of jobs, from documents and back; and what cannot work, before the server is asked.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").Mask} Mask
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Placing} Placing
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Recipe} Recipe
 * @typedef {import("./types.js").Selection} Selection
 * @typedef {{pictures: Record<string, Picture>, masks: Record<string, Mask>}} Known
 */

import { choicesOf, settingsOf } from "./choices.js";
import { CHOICES, isIdle } from "./document.js";
import { about, apply, minus } from "./geometry.js";

/** Version of the format. */
const VERSION = 1;

/** The edits that a run makes: neither hidden nor without effect.
 * @param {Doc} doc
 * @returns {Edit[]} */
export function activeEdits(doc) {
  return doc.edits.filter((edit) => !edit.hidden && !isIdle(edit));
}

/** The recipe of a document; hidden edits and those that do nothing yet are left out.
 * @param {Doc} doc
 * @returns {Recipe}
 * @throws {Error} without a picture */
export function toRecipe(doc) {
  if (doc.picture === null) throw new Error("Open a picture first.");
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
 * @param {Known} known  what its names stand for
 * @param {Doc["choices"]} [choices]  what the recipe does not say
 * @returns {Doc}
 * @throws {Error} where a picture or mask is missing, or an edit is unknown */
export function fromRecipe(recipe, known, choices = CHOICES) {
  const edits = /** @type {Recipe[]} */ (recipe.edits);
  return {
    picture: pictureOf(recipe.image, known),
    selection: null,
    edits: edits.map((edit, k) => editFromRecipe(edit, k + 1, known)),
    chosen: edits.length === 1 ? 1 : null,
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
 * @param {Known} known
 * @returns {Edit} */
function editFromRecipe(edit, id, known) {
  const common = { id, hidden: false };
  switch (edit.edit) {
    case "move": {
      const selection = selectionOf(edit.mask, known);
      return { ...common, kind: "move", selection, placing: placingOf(edit, selection), ...given("hint", edit.hint ?? undefined) };
    }
    case "remove":
      return { ...common, kind: "remove", selection: selectionOf(edit.mask, known), ...given("hint", edit.hint ?? undefined) };
    case "paste": {
      const [image, selection] = [pictureOf(edit.image, known), selectionOf(edit.mask, known)];
      const placing = placingOf(edit, selection);
      return { ...common, kind: "paste", image, selection, placing, prompt: edit.prompt ?? "" };
    }
    case "appearance":
      return {
        ...common,
        kind: "appearance",
        selection: selectionOf(edit.mask, known),
        image: pictureOf(edit.image, known),
        reference: selectionOf(edit.reference_mask, known),
        pattern: edit.pattern ?? true,
        prompt: edit.prompt ?? "",
      };
    case "drag": {
      const mask = edit.mask ?? null;
      return { ...common, kind: "drag", points: edit.points, selection: mask === null ? null : selectionOf(mask, known) };
    }
    case "landmarks":
      return { ...common, kind: "landmarks", from: edit.points_from, to: edit.points_to };
    default:
      throw new Error(`This page does not know the edit “${edit.edit}”.`);
  }
}

/** @param {string} name
 * @param {Known} known
 * @returns {Picture} */
function pictureOf(name, known) {
  const picture = known.pictures[name];
  if (picture === undefined) throw new Error("A picture of the recipe is missing.");
  return picture;
}

/** @param {string} name
 * @param {Known} known
 * @returns {Selection} */
function selectionOf(name, known) {
  const mask = known.masks[name];
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

/** What cannot work, in sentences; none if the server may be asked.
 * @param {Doc} doc
 * @returns {string[]} */
export function problems(doc) {
  if (doc.picture === null) return ["Open a picture first."];
  const active = activeEdits(doc);
  if (active.length === 0) return [nothingToDo(doc)];
  const { width, height } = doc.picture;
  const found = active.flatMap((edit) => problemOf(edit, width, height));
  const things = active.flatMap((edit) => (edit.kind === "paste" || !("selection" in edit) ? [] : (edit.selection?.mask.name ?? [])));
  if (new Set(things).size < things.length) found.push("Two edits are about the same thing; hide or delete one of them.");
  return found;
}

/** @param {Doc} doc
 * @returns {string} */
function nothingToDo(doc) {
  if (doc.selection !== null) return "Drag the selected thing to where it should go.";
  const idle = doc.edits.find((edit) => !edit.hidden);
  if (idle === undefined) return doc.edits.length === 0 ? "Tap a thing, then drag it." : "All edits are hidden; show one of them.";
  const words = { move: "Drag the thing somewhere else.", drag: "Draw an arrow.", landmarks: "Drag a landmark." };
  return idle.kind === "appearance" ? "Select the thing whose look is taken." : (words[/** @type {"move"} */ (idle.kind)] ?? "");
}

/** @param {Edit} edit
 * @param {number} width
 * @param {number} height
 * @returns {string[]} */
function problemOf(edit, width, height) {
  const masks = [];
  if ("selection" in edit && edit.selection !== null) masks.push(edit.selection.mask);
  if (edit.kind === "appearance" && edit.reference !== null) masks.push(edit.reference.mask);
  if (masks.some((mask) => mask.area === 0)) return ["The selection is empty; select the thing again."];
  if ((edit.kind === "move" || edit.kind === "paste") && isOutside(edit.selection, edit.placing, width, height)) {
    return ["The thing would lie outside of the picture; drag it back, or erase it."];
  }
  const points = edit.kind === "drag" ? edit.points.flat() : edit.kind === "landmarks" ? [...edit.from, ...edit.to] : [];
  const beyond = points.some(([x, y]) => x < 0 || y < 0 || x > width || y > height);
  return beyond ? ["A point lies outside of the picture; drag it back."] : [];
}

/** @param {Selection} selection
 * @param {Placing} placing
 * @param {number} width
 * @param {number} height
 * @returns {boolean} */
function isOutside(selection, placing, width, height) {
  const [x0, y0, x1, y1] = selection.mask.box;
  /** @type {Point[]} */
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  const map = about(selection.mask.centroid, placing);
  const at = corners.map((corner) => apply(map, corner));
  const [xs, ys] = [at.map(([x]) => x), at.map(([, y]) => y)];
  return Math.max(...xs) <= 0 || Math.max(...ys) <= 0 || Math.min(...xs) >= width || Math.min(...ys) >= height;
}
