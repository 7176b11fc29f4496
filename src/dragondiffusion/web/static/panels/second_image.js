// The dialog in which an object of a second image is selected, to paste it or to take its appearance.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Picture} Picture
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("../model/types.js").Selection} Selection
 * @typedef {import("../model/types.js").Tool} Tool
 */

import { beside, changeEdit, correct, emptyDoc, UNMOVED } from "../model/document.js";
import { addAppearance, addPaste } from "../model/edits.js";
import { dialog, h, iconButton, setText, wordButton } from "./dom.js";
import { effectButtons } from "./effects.js";
import { rounded } from "../gestures/actions.js";
import { boxed, clicked, glanced, repainted } from "../net/selecting.js";
import { Stage } from "../stage/stage.js";
import { sentences, words } from "../model/state.js";

/** Asks for a second image if none is given, then for an object in it, and adds the edit.
 * @param {App} app
 * @param {"paste" | "appearance"} purpose
 * @param {File | Picture | null} [source] */
export async function addFromSecondImage(app, purpose, source = null) {
  const { store } = app;
  const picture = source instanceof Blob ? await uploaded(app, source) : (source ?? (await askForImage(app)));
  if (picture === null || store.doc.picture === null) return;
  const selection = await selectIn(app, picture, null, purpose === "paste" ? "Tap the object to paste" : "Tap the object whose appearance is taken");
  if (selection === null) return;
  if (purpose === "appearance") {
    store.push(addAppearance(store.doc, picture, selection));
    return store.say(sentences(...picture.notes, ...(selection.notes ?? [])));
  }
  store.push(addPaste(store.doc, picture, selection, inTheMiddle(selection, store.doc.picture)));
  store.say(sentences("Drag the pasted object to where it should be", ...picture.notes, ...(selection.notes ?? [])));
}

/** Selects another object of an edit's second image.
 * @param {App} app
 * @param {number} id */
export async function reselect(app, id) {
  const edit = app.store.doc.edits.find((each) => each.id === id);
  if (edit?.kind !== "paste" && edit?.kind !== "appearance") return;
  const [old, field] = edit.kind === "paste" ? [edit.selection, "selection"] : [edit.reference, "reference"];
  const selection = await selectIn(app, edit.image, old, "Tap the object");
  if (selection !== null) app.store.push(changeEdit(app.store.doc, id, { [/** @type {string} */ (field)]: selection }));
}

/** @param {App} app
 * @param {Blob} file
 * @returns {Promise<Picture | null>} */
function uploaded({ store, client }, file) {
  return store.wait(() => client.upload(file, file instanceof File ? file.name : "second image"));
}

/** @param {App} app
 * @returns {Promise<Picture | null>} */
export function askForImage(app) {
  return new Promise((resolve) => {
    const input = h("input", { type: "file", accept: "image/*,.heic,.heif,.avif", class: "dd-file", "aria-label": "Second image" });
    const { second, history } = app.store.state;
    const offers = [
      second !== null && wordButton("scene", "The scene’s second image", () => answer(second), "dd-wide"),
      wordButton("copy", "This image itself", () => answer(history.present.picture), "dd-wide"),
    ];
    const body = h("div", { class: "dd-column" }, wordButton("open", "Choose an image", () => input.click(), "dd-wide dd-primary"), ...offers, input);
    const box = dialog(app.root, "Second image", body);
    box.addEventListener("close", () => resolve(null));
    input.addEventListener("change", async () => {
      const file = input.files?.[0];
      if (file !== undefined) answer(await uploaded(app, file));
    });
    /** @param {Picture | null} picture */
    function answer(picture) {
      resolve(picture);
      box.close();
    }
  });
}

/** @param {App} app
 * @param {Picture} picture
 * @param {Selection | null} old
 * @param {string} title
 * @returns {Promise<Selection | null>} */
export function selectIn(app, picture, old, title) {
  return new Promise((resolve) => {
    /** @type {{doc: Doc, tool: Tool, how: "new" | "add" | "remove", busy: boolean}} */
    const own = { doc: { ...emptyDoc(), picture, selection: old }, tool: "select", how: "new", busy: false };
    const container = h("div", { class: "dd-second-stage" });
    const note = h("p", { class: "dd-faint", role: "status" }, matchMedia("(pointer: coarse)").matches ? "Tap it, or draw a box around it." : "Tap it; Shift adds, Alt takes away.");
    const use = wordButton("check", "Use it", () => finish(own.doc.selection), "dd-primary");
    const tools = /** @type {Tool[]} */ (["select", "brush", "eraser", "lasso"]).map((tool) => {
      const button = iconButton(tool, tool[0]?.toUpperCase() + tool.slice(1), () => Object.assign(own, { tool }) && draw());
      return { tool, button };
    });
    const hows = effectButtons((how) => Object.assign(own, { how: own.how === how ? "new" : how }) && draw());
    const sizes = /** @type {const} */ ([["smaller", "Smaller", -1], ["larger", "Larger", 1]]).map(([drawing, word, step]) => {
      return { step, button: wordButton(drawing, word, () => choose(other(step)), "dd-compact") };
    });
    const row = h("div", { class: "dd-row" }, ...[...tools, ...hows, ...sizes].map(({ button }) => button), h("span", { class: "dd-space" }), use);
    const box = dialog(app.root, title, container, note, row);
    box.classList.add("dd-second");
    box.setAttribute("closedby", "closerequest"); // a tap that misses "Use it" loses no selection
    const stage = new Stage(container, {
      onPick: (at, how) => void ask((selection) => clicked(app, picture, selection, at, how)),
      onBox: (drawn) => void ask(() => boxed(app, picture, drawn)),
      onPaint: (mask, how) => void ask((selection) => paint(app, picture, selection, mask, how)),
      onPlace: () => undefined,
      onArrows: () => undefined,
      onLandmarks: () => undefined,
      onChoose: () => undefined,
      onGlance: (at) => glanced(app, picture, at),
      onHint: (text) => setText(note, text),
    });
    box.addEventListener("close", () => finish(null));
    const timer = setInterval(draw, 250); // views arrive on their own time
    draw();

    /** @param {(old: Selection | null) => Promise<Selection | null>} question */
    async function ask(question) {
      own.busy = true;
      draw();
      try {
        const selection = await question(own.doc.selection);
        choose(selection);
        setText(note, sentences(...(selection?.notes ?? []), "Tap “Use it” if the outline fits"));
      } catch (error) {
        setText(note, words(error));
      }
      own.busy = false;
      draw();
    }

    /** @param {-1 | 1} step */
    function other(step) {
      return own.doc.selection === null ? null : beside(own.doc.selection, step);
    }

    /** @param {Selection | null} selection */
    function choose(selection) {
      if (selection !== null) own.doc = correct(own.doc, selection);
      draw();
    }

    function draw() {
      const { doc, tool, how, busy } = own;
      const mask = doc.selection?.mask.name;
      const images = app.views.several([picture.name]);
      const masks = app.views.several(mask === undefined ? [] : [mask]);
      stage.show({ doc, tool, brush: (app.store.state.brush / 100) * Math.max(picture.width, picture.height), how, images, masks, preview: null, live: null, compare: null, busy, still: true });
      use.disabled = doc.selection === null || doc.selection.mask.area === 0;
      for (const each of tools) each.button.setAttribute("aria-pressed", String(each.tool === tool));
      for (const each of hows) each.button.setAttribute("aria-pressed", String(each.how === how));
      for (const { step, button } of sizes) button.disabled = other(step) === null;
    }

    /** @param {Selection | null} selection */
    function finish(selection) {
      clearInterval(timer);
      stage.destroy();
      resolve(selection);
      if (box.open) box.close();
    }
  });
}

/** @param {App} app
 * @param {Picture} picture
 * @param {Selection | null} old
 * @param {HTMLCanvasElement} mask
 * @param {"add" | "remove"} how */
async function paint(app, picture, old, mask, how) {
  const view = old === null ? null : await app.views.load(old.mask.name);
  return repainted(app.client, picture, old, view, mask, how);
}

/** A pasted object begins in the middle, at most half as large as the image.
 * @param {Selection} selection
 * @param {Picture} picture
 * @returns {Placing} */
export function inTheMiddle({ mask }, picture) {
  const [x0, y0, x1, y1] = mask.box;
  const factor = Math.min(1, (0.5 * picture.width) / (x1 - x0), (0.5 * picture.height) / (y1 - y0));
  const offset = /** @type {[number, number]} */ ([picture.width / 2 - mask.centroid[0], picture.height / 2 - mask.centroid[1]]);
  return rounded({ ...UNMOVED, offset, scale: [factor, factor] });
}
