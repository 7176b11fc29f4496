// Opening images, drawn scenes, recipes and results: by button, drop or paste.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/types.js").Picture} Picture
 */

import { byName, dialog, h, wordButton } from "../panels/dom.js";
import { openPicture, workedOn } from "../model/document.js";
import { fromRecipe } from "../model/recipe.js";
import { addFromSecondImage } from "../panels/second_image.js";
import { sentences } from "../model/state.js";

/** Opens an image file for editing.
 * @param {App} app
 * @param {File | Blob} file */
export async function openFile(app, file) {
  const picture = await upload(app, file);
  if (picture === null) return;
  open(app, picture);
}

/** @param {App} app
 * @param {File | Blob} file
 * @returns {Promise<Picture | null>} */
export async function upload({ store, client }, file) {
  const limit = store.state.session?.limits.bytes ?? Infinity;
  const title = file instanceof File ? file.name : "pasted image";
  return store.wait(async () => {
    if (file.size > limit) throw new Error(`“${title}” is larger than ${Math.round(limit / 1e6)} MB; make it smaller.`);
    return client.upload(file, title);
  });
}

/** @param {App} app
 * @param {Picture} picture */
export function open({ store }, picture) {
  store.push(openPicture(store.doc, picture));
  store.set({ tool: "select", how: "new", second: null });
  store.say(sentences(...picture.notes));
}

/** Opens a drawn scene, with a second image where its kind has one.
 * @param {App} app
 * @param {string} kind
 * @param {number} [seed] */
export async function openScene(app, kind, seed = Math.floor(Math.random() * 1000)) {
  const scene = await app.store.wait(() => app.client.scene(seed, kind));
  if (scene === null) return;
  open(app, scene.picture);
  app.store.set({ second: scene.second });
}

/** Brings back the state that a recipe, or a result that contains one, stands for.
 * @param {App} app
 * @param {File} file */
export async function restoreFile({ store, client }, file) {
  const restored = await store.wait(async () => {
    const { recipe, pictures, masks, notes } = await client.restore(file);
    return { doc: fromRecipe(recipe, { pictures, masks }, store.doc.choices, store.state.kinds), notes };
  });
  if (restored === null) return;
  store.adopt(restored.doc);
  store.say(sentences("Restored", ...restored.notes));
}

/** Asks what a file is for that came while an image is open.
 * @param {App} app
 * @param {File} file */
export function receive(app, file) {
  if (/\.json$/i.test(file.name) || file.type === "application/json") return void restoreFile(app, file);
  if (app.store.doc.picture === null) return void openFile(app, file);
  const hasThing = workedOn(app.store.doc) !== null;
  const appearance = wordButton("appearance", "Take its appearance for the selected object", () => choose(() => addFromSecondImage(app, "appearance", file)), "dd-wide");
  appearance.disabled = !hasThing;
  appearance.title = hasThing ? "" : "Select an object of the open image first";
  const isPng = file.type === "image/png";
  const box = dialog(
    app.root,
    `“${file.name}”`,
    h("div", { class: "dd-column" },
      wordButton("paste", "Paste an object from it", () => choose(() => addFromSecondImage(app, "paste", file)), "dd-wide dd-primary"),
      appearance,
      wordButton("open", "Open it instead", () => choose(() => openFile(app, file)), "dd-wide"),
      isPng && wordButton("restore", "It is a result: bring back its edits", () => choose(() => restoreFile(app, file)), "dd-wide"),
    ),
  );
  /** @param {() => Promise<void>} act */
  function choose(act) {
    box.close();
    void act();
  }
}

/** Listens for dropped and pasted files.
 * @param {App} app */
export function listenForFiles(app) {
  const zone = byName(app.root, "drop");
  let depth = 0;
  /** @param {DragEvent} event */
  const carriesFile = (event) => Array.from(event.dataTransfer?.types ?? []).includes("Files");
  app.root.addEventListener("dragenter", (event) => {
    if (!carriesFile(event)) return;
    depth += 1;
    zone.hidden = false;
  });
  app.root.addEventListener("dragleave", (event) => {
    if (!carriesFile(event)) return;
    depth = Math.max(0, depth - 1);
    zone.hidden = depth === 0;
  });
  app.root.addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  app.root.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    zone.hidden = true;
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) receive(app, file);
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (!app.root.isConnected || file === undefined) return;
    event.preventDefault();
    receive(app, file);
  });
}
