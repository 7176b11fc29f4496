// The method's own settings, made from the recipe's schema; only changed ones are stored.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {{description?: string, type?: string, enum?: string[], anyOf?: Field[], properties?: Record<string, Field>}} Field
 */

import { setChoices } from "../model/document.js";
import { h, iconButton } from "./dom.js";
import { words } from "../model/state.js";

/** A section that asks for the schema when it is first opened.
 * @param {App} app
 * @param {{element: HTMLElement, update: (state: State) => void}[]} first  what stands above the method's own settings
 * @returns {{element: HTMLElement, update: (state: State) => void}} */
export function makeAdvanced(app, first) {
  const count = h("span", { class: "dd-count" });
  const body = h("div", { class: "dd-advanced-body" });
  const element = h("details", { class: "dd-advanced" }, h("summary", { class: "dd-summary" }, "Advanced", count), ...first.map((part) => part.element), body);
  /** @type {((state: State) => void)[]} */
  let rows = [];
  element.addEventListener("toggle", async () => {
    if (!element.open || rows.length > 0) return;
    try {
      const schema = await app.client.schema();
      const fields = /** @type {[string, Field][]} */ (Object.entries(schema.properties.settings.properties));
      const made = fields.map(([name, field]) => row(app, name, field));
      body.replaceChildren(h("p", { class: "dd-faint" }, "The method’s own settings. Empty fields are as the choices above say."), ...made.map((each) => each.element));
      rows = made.map((each) => each.update);
      rows.forEach((update) => update(app.store.state));
    } catch (error) {
      body.replaceChildren(h("p", { class: "dd-faint" }, words(error)));
    }
  });
  return {
    element,
    update: (state) => {
      first.forEach(({ update }) => update(state));
      const changed = Object.keys(state.history.present.choices.advanced).length;
      count.textContent = changed === 0 ? "" : String(changed);
      rows.forEach((update) => update(state));
    },
  };
}

/** @param {App} app
 * @param {string} name
 * @param {Field} field
 * @returns {{element: HTMLElement, update: (state: State) => void}} */
function row({ store }, name, field) {
  const input = inputOf(field);
  const note = field.description ?? "";
  input.setAttribute("aria-label", name);
  input.title = note;
  input.addEventListener("change", () => {
    const { [name]: _old, ...rest } = store.doc.choices.advanced;
    try {
      const value = parsed(input.value, field);
      store.push(setChoices(store.doc, { advanced: value === undefined ? rest : { ...rest, [name]: value } }));
      input.setCustomValidity("");
    } catch (error) {
      input.setCustomValidity(words(error));
      input.reportValidity();
    }
  });
  const reset = iconButton("undo", `Reset ${name}`, () => {
    const { [name]: _old, ...rest } = store.doc.choices.advanced;
    input.setCustomValidity("");
    store.push(setChoices(store.doc, { advanced: rest }));
  }, "dd-plain");
  const help = h("details", { class: "dd-why" }, h("summary", { class: "dd-code-name" }, name), h("p", { class: "dd-faint" }, note));
  const element = h("div", { class: "dd-setting" }, help, h("div", { class: "dd-row" }, input, reset));
  return {
    element,
    update: (state) => {
      const value = state.history.present.choices.advanced[name];
      reset.hidden = value === undefined;
      element.classList.toggle("dd-changed", value !== undefined);
      if (document.activeElement !== input && input.validity.valid) input.value = shown(value);
    },
  };
}

/** @param {Field} field
 * @returns {HTMLInputElement | HTMLSelectElement} */
function inputOf(field) {
  const options = field.enum ?? (field.type === "boolean" ? ["true", "false"] : null);
  if (options === null) return h("input", { type: "text", class: "dd-input dd-grow", placeholder: formOf(field), autocomplete: "off", spellcheck: "false" });
  return h("select", { class: "dd-input dd-grow" }, h("option", { value: "" }, "as above"), ...options.map((option) => h("option", { value: option }, option)));
}

/** The form of a value, in words.
 * @param {Field} field
 * @returns {string} */
function formOf(field) {
  const forms = (field.anyOf ?? [field]).map((form) => {
    if (form.type === "null") return "none";
    if (form.type === "object") return '{"start": 0, "stop": 0.5}';
    if (form.type === "array") return "[…]";
    return form.type === "integer" ? "whole number" : (form.type ?? "");
  });
  return forms.join(" or ");
}

/** The value that somebody typed; undefined for an empty field.
 * @param {string} text
 * @param {Field} field
 * @returns {unknown}
 * @throws {Error} if it is not of the field's form */
export function parsed(text, field) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (field.enum !== undefined) return trimmed;
  /** @type {unknown} */
  let value;
  try {
    value = /^none$/i.test(trimmed) ? null : JSON.parse(trimmed);
  } catch {
    throw new Error(`Expected ${formOf(field)}.`);
  }
  if ((field.anyOf ?? [field]).some((form) => fits(value, form))) return value;
  throw new Error(`Expected ${formOf(field)}.`);
}

/** @param {unknown} value
 * @param {Field} form
 * @returns {boolean} */
function fits(value, form) {
  if (form.type === "null") return value === null;
  if (form.type === "integer") return Number.isInteger(value);
  if (form.type === "array") return Array.isArray(value);
  if (form.type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === form.type;
}

/** @param {unknown} value
 * @returns {string} */
function shown(value) {
  if (value === undefined) return "";
  if (value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
