// The menu of edits: all kinds that the server has. Most begin with a gesture; the others open a form.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").EditKind} EditKind
 */

import { addEdit, clear } from "../model/document.js";
import { eraseSelection } from "../model/edits.js";
import { newFormEdit } from "../model/kinds.js";
import { h, wordButton } from "./dom.js";
import { menu } from "./menu.js";
import { addFromSecondImage } from "./second_image.js";
import { take } from "./toolbar.js";

/** How each kind begins that the page has a gesture for.
 * @type {Record<string, (app: App) => void>} */
const BEGIN = {
  move: (app) => begin(app, "Drag the selected object to where it should go.", "Tap an object, then drag it."),
  remove: (app) => (app.store.doc.selection === null ? begin(app, "", "Tap an object, then press Delete.") : app.store.push(eraseSelection(app.store.doc))),
  paste: (app) => void addFromSecondImage(app, "paste"),
  appearance: (app) => (app.store.doc.selection === null ? begin(app, "", "Select the object that gets another appearance first.") : void addFromSecondImage(app, "appearance")),
  drag: (app) => take(app, "drag"),
  landmarks: (app) => take(app, "landmarks"),
};

/** @param {App} app
 * @param {string} selected  what to do with a selected object
 * @param {string} otherwise */
function begin({ store }, selected, otherwise) {
  const hasSelection = store.doc.selection !== null;
  if (!hasSelection) store.push(clear(store.doc));
  store.set({ tool: "select" });
  store.call(hasSelection ? selected : otherwise);
}

/** Begins an edit of a kind: with its gesture, or with a form that takes the selected object.
 * @param {App} app
 * @param {EditKind} kind */
export function beginEdit(app, kind) {
  const gesture = BEGIN[kind.name];
  if (app.store.doc.picture === null) app.store.call("Open an image first.");
  else if (gesture !== undefined) gesture(app);
  else app.store.push(addEdit(app.store.doc, newFormEdit(kind, app.store.doc.selection)));
}

/** @param {App} app
 * @returns {{element: HTMLElement, update: (state: State) => void}} */
export function makeEditMenu(app) {
  const element = h("div", { class: "dd-edit-menu" });
  /** @type {readonly EditKind[]} */
  let shown = [];
  return {
    element,
    update: ({ kinds }) => {
      if (kinds === shown) return;
      shown = kinds;
      const items = kinds.map((kind) => {
        const item = wordButton("", kind.title, () => beginEdit(app, kind), "dd-item");
        item.title = kind.help;
        return item;
      });
      element.replaceChildren(menu("plus", "Add an edit", items));
    },
  };
}
