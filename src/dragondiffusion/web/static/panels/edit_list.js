// The list of edits: choosing, hiding, deleting, copying, and the values of each.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Edit} Edit
 * @typedef {import("../model/types.js").Placing} Placing
 */

import { changeEdit, choose, clear, deleteEdit, hideEdit, reorderEdit } from "../model/document.js";
import { duplicateEdit } from "../model/edits.js";
import { isIdle } from "../model/inspection.js";
import { kindOf, titleOf } from "../model/kinds.js";
import { byName, h, iconButton, list, setText, setValue, wordButton } from "./dom.js";
import { makeForm } from "./edit_form.js";
import { makeEditMenu } from "./edit_menu.js";
import { icon } from "./icons.js";
import { askForImage, reselect, selectIn } from "./second_image.js";

/** Forms of edits that have one, by the element of their controls.
 * @type {WeakMap<Element, ReturnType<typeof makeForm>>} */
const forms = new WeakMap();

/** @typedef {{label: string, step: number, min: number, max: number, get: (placing: Placing) => number, put: (placing: Placing, value: number) => Placing}} Quantity */

/** @type {Quantity[]} */
const NUMBERS = [
  { label: "Right", step: 1, min: -20000, max: 20000, get: (p) => p.offset[0], put: (p, v) => ({ ...p, offset: [v, p.offset[1]] }) },
  { label: "Down", step: 1, min: -20000, max: 20000, get: (p) => p.offset[1], put: (p, v) => ({ ...p, offset: [p.offset[0], v] }) },
  { label: "Width %", step: 1, min: 5, max: 2000, get: (p) => percent(p.scale[0]), put: (p, v) => ({ ...p, scale: [v / 100, p.scale[1]] }) },
  { label: "Height %", step: 1, min: 5, max: 2000, get: (p) => percent(p.scale[1]), put: (p, v) => ({ ...p, scale: [p.scale[0], v / 100] }) },
  { label: "Turn °", step: 1, min: -360, max: 360, get: (p) => p.angle, put: (p, v) => ({ ...p, angle: v }) },
];

/** @param {number} factor
 * @returns {number} */
function percent(factor) {
  return Math.round(factor * 1000) / 10;
}

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeEdits(app) {
  const panel = byName(app.root, "edits");
  const items = h("ol", { class: "dd-edits" });
  const none = h("p", { class: "dd-faint" }, "Nothing is changed yet. Tap an object in the image, then drag it, erase it, or give it another appearance.");
  const menu = makeEditMenu(app);
  panel.append(h("div", { class: "dd-head" }, h("h2", { class: "dd-title" }, "Edits"), menu.element), none, items);
  return (state) => {
    const { edits, chosen } = state.history.present;
    menu.update(state);
    none.hidden = edits.length > 0;
    list(items, edits, (edit) => `${edit.id}-${kindOf(edit)}`, (edit) => card(app, edit), (element, edit) => {
      update(app, element, edit, edit.id === chosen);
      const place = edits.indexOf(edit);
      one(element, ".dd-edit-order").hidden = edits.length === 1 || edit.id !== chosen;
      one(element, ".dd-up").setAttribute("aria-disabled", String(place === 0)); // not disabled: that would lose the focus
      one(element, ".dd-down").setAttribute("aria-disabled", String(place === edits.length - 1));
    });
  };
}

/** @param {App} app
 * @param {Edit} edit
 * @returns {HTMLElement} */
function card(app, edit) {
  const { store } = app;
  const { id, kind } = edit;
  const [drawing, words] = [kind === "form" ? "settings" : kind, titleOf(edit, store.state.kinds)];
  const name = h("button", { type: "button", class: "dd-edit-name" }, icon(drawing), h("span", { class: "dd-edit-text" }, h("span", { class: "dd-edit-words" }, words), h("span", { class: "dd-edit-note" })));
  name.addEventListener("click", () => store.push(store.doc.chosen === id ? clear(store.doc) : choose(store.doc, id)));
  const hide = iconButton("eye", "Hide", () => {
    const isHidden = store.doc.edits.find((each) => each.id === id)?.hidden ?? false;
    store.push(hideEdit(store.doc, id, !isHidden));
  }, "dd-plain dd-edit-hide");
  const copy = iconButton("copy", "Copy", () => store.push(duplicateEdit(store.doc, id)), "dd-plain");
  const remove = iconButton("trash", "Delete this edit", () => store.push(deleteEdit(store.doc, id)), "dd-plain");
  const top = h("div", { class: "dd-edit-top" }, name, kind === "move" || kind === "paste" ? copy : null, hide, remove);
  const element = h("li", { class: "dd-edit-card" }, top, order(app, id), controls(app, edit));
  element.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : null;
    if (step === null || !event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    reorder(app, id, step);
  });
  return element;
}

/** Buttons that make an edit earlier or later.
 * @param {App} app
 * @param {number} id
 * @returns {HTMLElement} */
function order(app, id) {
  /** @type {["up" | "down", string, -1 | 1][]} */
  const ways = [["up", "Earlier", -1], ["down", "Later", 1]];
  const buttons = ways.map(([drawing, words, step]) => {
    const button = wordButton(drawing, words, () => reorder(app, id, step), `dd-compact dd-${drawing}`);
    button.title = `Make this edit ${words.toLowerCase()} (Alt + ${step < 0 ? "↑" : "↓"})`;
    return button;
  });
  return h("div", { class: "dd-row dd-edit-order", role: "group", "aria-label": "Order" }, ...buttons);
}

/** @param {App} app
 * @param {number} id
 * @param {-1 | 1} step */
function reorder({ store }, id, step) {
  const doc = reorderEdit(store.doc, id, step);
  if (doc === store.doc) store.call(`This edit is the ${step < 0 ? "first" : "last"} already.`);
  else store.push(doc);
}

/** @param {App} app
 * @param {Edit} edit
 * @returns {HTMLElement} */
function controls(app, edit) {
  const box = h("div", { class: "dd-edit-controls" });
  if (edit.kind === "form") {
    const form = makeForm(app, edit.id, edit.spec, { image: askForImage, object: selectIn });
    box.append(...form.elements);
    forms.set(box, form);
  }
  if ("placing" in edit) box.append(...NUMBERS.map((number) => numberField(app, edit.id, number)), flipField(app, edit.id));
  if (edit.kind === "appearance") box.append(patternField(app, edit.id));
  if (edit.kind === "paste" || edit.kind === "appearance") {
    const thumbnail = h("canvas", { class: "dd-edit-thumb", width: 96, height: 64, "aria-hidden": "true" });
    box.append(h("div", { class: "dd-row dd-whole" }, thumbnail, wordButton("select", "Another object in it", () => void reselect(app, edit.id), "dd-compact")));
  }
  if (edit.kind === "drag" && edit.selection !== null) {
    box.append(wordButton("close", "Act everywhere near the arrows", () => app.store.push(changeEdit(app.store.doc, edit.id, { selection: null })), "dd-compact dd-whole dd-limit"));
  }
  return box;
}

/** @param {App} app
 * @param {number} id
 * @param {Quantity} number
 * @returns {HTMLElement} */
function numberField({ store }, id, number) {
  const { label, step, min, max } = number;
  const field = h("input", { type: "number", step, min, max, inputmode: "decimal", class: "dd-input dd-number", "data-number": label });
  field.addEventListener("input", () => {
    const edit = store.doc.edits.find((each) => each.id === id);
    const value = field.valueAsNumber;
    if (edit === undefined || !("placing" in edit) || !Number.isFinite(value) || value < min || value > max) return;
    store.during(changeEdit(choose(store.doc, id), id, { placing: number.put(edit.placing, value) }), `number-${id}-${label}`, false);
  });
  return h("label", { class: "dd-field" }, h("span", {}, label), field);
}

/** @param {App} app
 * @param {number} id
 * @returns {HTMLElement} */
function flipField({ store }, id) {
  const field = h("input", { type: "checkbox", "data-flip": "" });
  field.addEventListener("change", () => {
    const edit = store.doc.edits.find((each) => each.id === id);
    if (edit !== undefined && "placing" in edit) store.push(changeEdit(store.doc, id, { placing: { ...edit.placing, flip: field.checked } }));
  });
  return h("label", { class: "dd-check" }, field, h("span", {}, "Flipped"));
}

/** @param {App} app
 * @param {number} id
 * @returns {HTMLElement} */
function patternField({ store }, id) {
  const field = h("input", { type: "checkbox", "data-pattern": "" });
  field.addEventListener("change", () => store.push(changeEdit(store.doc, id, { pattern: field.checked })));
  return h("label", { class: "dd-check dd-whole" }, field, h("span", {}, "Take the pattern too, not only the colours"));
}

/** @param {App} app
 * @param {HTMLElement} element
 * @param {Edit} edit
 * @param {boolean} isChosen */
function update(app, element, edit, isChosen) {
  element.classList.toggle("dd-chosen", isChosen);
  element.classList.toggle("dd-hidden-edit", edit.hidden);
  const note = edit.hidden ? "hidden" : isIdle(edit) ? "no effect yet" : noteOf(edit);
  const [name, words] = [one(element, ".dd-edit-name"), one(element, ".dd-edit-note")];
  name.setAttribute("aria-pressed", String(isChosen));
  setText(words, note);
  const hide = one(element, ".dd-edit-hide");
  const label = edit.hidden ? "Show" : "Hide";
  if (hide.getAttribute("aria-label") !== label) {
    hide.setAttribute("aria-label", label);
    hide.title = label;
    hide.replaceChildren(icon(edit.hidden ? "hidden" : "eye"));
  }
  if (edit.kind === "form") forms.get(one(element, ".dd-edit-controls"))?.update(edit, app.store.doc);
  if ("placing" in edit) updatePlacing(element, edit.placing);
  const pattern = element.querySelector("[data-pattern]");
  if (pattern instanceof HTMLInputElement && edit.kind === "appearance") pattern.checked = edit.pattern;
  const thumbnail = element.querySelector("canvas");
  if (thumbnail !== null && "image" in edit) drawThumbnail(thumbnail, app.views.get(edit.image.name));
  const limit = element.querySelector(".dd-limit");
  if (edit.kind === "drag" && (edit.selection !== null) !== (limit !== null)) one(element, ".dd-edit-controls").replaceWith(controls(app, edit));
}

/** @param {Element} element
 * @param {string} selector
 * @returns {HTMLElement} */
function one(element, selector) {
  return /** @type {HTMLElement} */ (element.querySelector(selector));
}

/** @param {HTMLElement} element
 * @param {Placing} placing */
function updatePlacing(element, placing) {
  for (const number of NUMBERS) {
    setValue(/** @type {HTMLInputElement} */ (one(element, `[data-number="${number.label}"]`)), number.get(placing));
  }
  /** @type {HTMLInputElement} */ (one(element, "[data-flip]")).checked = placing.flip;
}

/** @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap | null} view */
function drawThumbnail(canvas, view) {
  if (view === null) return;
  const factor = Math.max(canvas.width / view.width, canvas.height / view.height);
  const [width, height] = [view.width * factor, view.height * factor];
  canvas.getContext("2d")?.drawImage(view, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

/** A summary of an edit.
 * @param {Edit} edit
 * @returns {string} */
export function noteOf(edit) {
  switch (edit.kind) {
    case "move":
    case "paste":
      return placingNote(edit.placing, edit.kind === "move");
    case "remove":
      return `${Math.max(1, Math.round(100 * edit.selection.mask.area))} % of the image`;
    case "appearance":
      return `like “${edit.image.title}”`;
    case "drag":
      return edit.points.length === 1 ? "1 arrow" : `${edit.points.length} arrows`;
    case "landmarks":
      return `${edit.from.length} points`;
    case "form":
      return edit.spec.help;
  }
}

/** @param {Placing} placing
 * @param {boolean} withOffset
 * @returns {string} */
function placingNote({ offset: [dx, dy], scale, angle, flip }, withOffset) {
  const parts = [
    withOffset && dx !== 0 && `${Math.abs(Math.round(dx))} px ${dx > 0 ? "right" : "left"}`,
    withOffset && dy !== 0 && `${Math.abs(Math.round(dy))} px ${dy > 0 ? "down" : "up"}`,
    (scale[0] !== 1 || scale[1] !== 1) && (scale[0] === scale[1] ? `${percent(scale[0])} %` : `${percent(scale[0])} × ${percent(scale[1])} %`),
    angle !== 0 && `turned ${angle}°`,
    flip && "flipped",
  ];
  return parts.filter((part) => part !== false).join(", ");
}
