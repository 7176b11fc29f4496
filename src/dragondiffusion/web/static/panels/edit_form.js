// The form of an edit that the page has no gesture for: one control for each field that the server describes.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").EditField} EditField
 * @typedef {import("../model/types.js").EditKind} EditKind
 * @typedef {import("../model/types.js").FormEdit} FormEdit
 * @typedef {import("../model/types.js").Picture} Picture
 * @typedef {import("../model/types.js").Selection} Selection
 *
 * @typedef {object} Pickers  Dialogs that a form opens; they give null when they are closed.
 * @property {(app: App) => Promise<Picture | null>} image
 * @property {(app: App, image: Picture, old: Selection | null, title: string) => Promise<Selection | null>} object
 *
 * @typedef {{element: HTMLElement, update: (edit: FormEdit, doc: Doc) => void}} Row
 */

import { changeEdit, choose } from "../model/document.js";
import { maskOf, withField } from "../model/kinds.js";
import { h, setText, setValue, wordButton } from "./dom.js";

/** The controls of an edit.
 * @param {App} app
 * @param {number} id
 * @param {EditKind} spec
 * @param {Pickers} pickers
 * @returns {{elements: HTMLElement[], update: (edit: FormEdit, doc: Doc) => void}} */
export function makeForm(app, id, spec, pickers) {
  const rows = spec.fields.map((field) => row({ app, id, pickers }, field));
  return {
    elements: rows.map(({ element }) => element),
    update: (edit, doc) => rows.forEach(({ update }) => update(edit, doc)),
  };
}

/** @typedef {{app: App, id: number, pickers: Pickers}} Form */

/** @param {Form} form
 * @param {EditField} field
 * @returns {Row} */
function row(form, field) {
  switch (field.control) {
    case "mask":
      return field.of === null ? selectionRow(form, field) : objectRow(form, field, field.of);
    case "image":
      return imageRow(form, field);
    case "switch":
      return switchRow(form, field);
    default:
      return valueRow(form, field);
  }
}

/** The edit as it is now.
 * @param {Form} form
 * @returns {FormEdit | null} */
function current({ app, id }) {
  const edit = app.store.doc.edits.find((each) => each.id === id);
  return edit?.kind === "form" ? edit : null;
}

/** Sets a field; undefined puts its default back.
 * @param {Form} form
 * @param {EditField} field
 * @param {unknown} value
 * @param {boolean} [isTyping]  then changes that follow each other are one step of undo */
function set(form, field, value, isTyping = false) {
  const { app, id } = form;
  const edit = current(form);
  if (edit === null) return;
  const doc = changeEdit(choose(app.store.doc, id), id, withField(edit, field, value));
  if (isTyping) app.store.during(doc, `field-${id}-${field.name}`, false);
  else app.store.push(doc);
}

/** @param {EditField} field
 * @returns {string} */
function label({ title, required }) {
  return required ? `${title} (required)` : title;
}

/** A mask on the edited image: the object that is selected there becomes the field's.
 * @param {Form} form
 * @param {EditField} field
 * @returns {Row} */
function selectionRow(form, field) {
  const { store } = form.app;
  const use = wordButton("select", "Use the selection", () => {
    const { selection } = store.doc;
    if (selection === null) store.call(`Select the ${field.title.toLowerCase()} in the image first.`);
    else set(form, field, selection);
  }, "dd-compact");
  return maskRow(form, field, use);
}

/** A mask on another image: the object is selected in a dialog that shows it.
 * @param {Form} form
 * @param {EditField} field
 * @param {string} of  the field of that image
 * @returns {Row} */
function objectRow(form, field, of) {
  const { app, pickers } = form;
  const pick = wordButton("select", "Select it", async () => {
    const edit = current(form);
    const image = edit?.images[of];
    if (edit === null || image === undefined) return app.store.call("Choose the image first.");
    const selection = await pickers.object(app, image, maskOf(edit, field), `Tap the ${field.title.toLowerCase()}`);
    if (selection !== null) set(form, field, selection);
  }, "dd-compact");
  return maskRow(form, field, pick);
}

/** @param {Form} form
 * @param {EditField} field
 * @param {HTMLButtonElement} button  that sets the mask
 * @returns {Row} */
function maskRow(form, field, button) {
  const state = h("span", { class: "dd-faint" });
  const reset = wordButton("close", "Remove", () => set(form, field, undefined), "dd-compact");
  const element = h("div", { class: "dd-field dd-whole", title: field.help }, h("span", {}, label(field)), state, h("div", { class: "dd-row" }, button, reset));
  return {
    element,
    update: (edit) => {
      const mask = maskOf(edit, field)?.mask;
      setText(state, mask === undefined ? "nothing selected" : `${Math.max(1, Math.round(100 * mask.area))} % of the image`);
      reset.hidden = mask === undefined || field.required;
    },
  };
}

/** @param {Form} form
 * @param {EditField} field
 * @returns {Row} */
function imageRow(form, field) {
  const { app, pickers } = form;
  const name = h("span", { class: "dd-faint" });
  const pick = wordButton("open", "Choose an image", async () => {
    const image = await pickers.image(app);
    if (image !== null) set(form, field, image);
  }, "dd-compact");
  const element = h("div", { class: "dd-field dd-whole", title: field.help }, h("span", {}, label(field)), name, pick);
  return { element, update: (edit) => setText(name, edit.images[field.name]?.title ?? "no image") };
}

/** @param {Form} form
 * @param {EditField} field
 * @returns {Row} */
function switchRow(form, field) {
  const input = h("input", { type: "checkbox", "data-field": field.name });
  input.addEventListener("change", () => set(form, field, input.checked));
  const element = h("label", { class: "dd-check dd-whole", title: field.help }, input, h("span", {}, label(field)));
  return {
    element,
    update: (edit) => {
      input.checked = Boolean(edit.values[field.name] ?? field.default);
    },
  };
}

/** A number, a text, a choice or JSON; an empty field is the default.
 * @param {Form} form
 * @param {EditField} field
 * @returns {Row} */
function valueRow(form, field) {
  const input = inputOf(field);
  input.addEventListener("input", () => {
    try {
      set(form, field, parsed(input.value, field), true);
      input.setCustomValidity("");
    } catch (error) {
      input.setCustomValidity(error instanceof Error ? error.message : String(error));
    }
  });
  const element = h("label", { class: "dd-field dd-whole", title: field.help }, h("span", {}, label(field)), input);
  return {
    element,
    update: (edit) => {
      if (input.validity.valid) setValue(input, shown(edit.values[field.name], field));
    },
  };
}

/** @param {EditField} field
 * @returns {HTMLInputElement | HTMLSelectElement} */
function inputOf(field) {
  const common = { class: "dd-input dd-grow", "data-field": field.name };
  if (field.control === "choice") {
    const first = field.required ? "" : `${field.default} (default)`;
    return h("select", common, h("option", { value: "" }, first), ...field.options.map((option) => h("option", { value: option }, option)));
  }
  const placeholder = field.required ? "" : field.default === null ? "none" : shown(field.default, field);
  if (field.control === "text" || field.control === "json") return h("input", { ...common, type: "text", placeholder, autocomplete: "off" });
  return h("input", { ...common, type: "number", step: field.control === "integer" ? 1 : "any", inputmode: "decimal", placeholder });
}

/** The value that was typed; undefined for an empty field.
 * @param {string} text
 * @param {EditField} field
 * @returns {unknown}
 * @throws {Error} if it is none of the field's */
export function parsed(text, { control }) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (control === "text" || control === "choice") return text;
  /** @type {unknown} */
  let value;
  try {
    value = JSON.parse(trimmed);
  } catch {
    throw new Error(control === "json" ? "Expected JSON, like [1, 2]." : "Expected a number.");
  }
  if (control === "json") return value;
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error("Expected a number.");
  if (control === "integer" && !Number.isInteger(value)) throw new Error("Expected a whole number.");
  return value;
}

/** @param {unknown} value
 * @param {EditField} field
 * @returns {string} */
function shown(value, { control }) {
  if (value === undefined) return "";
  return control === "json" ? JSON.stringify(value) : String(value);
}
