// Settings: quality, strength, how much is preserved, the prompt; under Advanced seed, tries, negative prompt, the method's own.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Choices} Choices
 */

import { makeAdvanced } from "./advanced.js";
import { newSeed, setChoices } from "../model/document.js";
import { byName, h, iconButton, setText, setValue } from "./dom.js";

/** @type {[Choices["quality"], string, string][]} */
const QUALITIES = [
  ["fast", "Fast", "A quick sketch"],
  ["default", "Good", "Fits most edits"],
  ["best", "Best", "Takes longer: the best of three tries is kept"],
];

/** @type {[Choices["keep"], string, string][]} */
const KEEPS = [
  ["everything", "Everything", "Only what the edit touches changes"],
  ["most", "Most", "A soft border around the edit may change"],
  ["little", "Little", "The whole image may change a bit, to fit together"],
];

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeSettings(app) {
  const panel = byName(app.root, "settings");
  const parts = [
    segments(app, "Quality", "quality", QUALITIES),
    strength(app),
    segments(app, "Keep the rest", "keep", KEEPS),
    prompt(app, "prompt", "The image shows", "optional, like “a ring on a table”"),
    makeAdvanced(app, [seed(app), tries(app), prompt(app, "negative", "It should not show (negative prompt)", "optional")]),
  ];
  panel.append(h("h2", { class: "dd-title" }, "Settings"), ...parts.map(({ element }) => element));
  return (state) => parts.forEach(({ update }) => update(state));
}

/** @typedef {{element: HTMLElement, update: (state: State) => void}} Part */

/** @param {App} app
 * @param {Partial<Choices>} changes
 * @param {string} name */
function change({ store }, changes, name) {
  store.during(setChoices(store.doc, changes), `choice-${name}`, false);
}

/** @template {"quality" | "keep"} Name
 * @param {App} app
 * @param {string} label
 * @param {Name} name
 * @param {[Choices[Name], string, string][]} options
 * @returns {Part} */
function segments({ store }, label, name, options) {
  const note = h("p", { class: "dd-faint dd-note" });
  const buttons = options.map(([value, words, hint]) => {
    const button = h("button", { type: "button", class: "dd-button dd-grow", title: hint }, words);
    button.addEventListener("click", () => store.push(setChoices(store.doc, /** @type {Partial<Choices>} */ ({ [name]: value }))));
    return { value, hint, button };
  });
  const row = h("div", { class: "dd-segments", role: "group", "aria-label": label }, ...buttons.map(({ button }) => button));
  const element = h("div", { class: "dd-setting" }, h("span", { class: "dd-label" }, label), row, note);
  return {
    element,
    update: (state) => {
      const now = state.history.present.choices[name];
      for (const { value, button } of buttons) button.setAttribute("aria-pressed", String(value === now));
      setText(note, buttons.find(({ value }) => value === now)?.hint ?? "");
    },
  };
}

/** @param {App} app
 * @returns {Part} */
function strength(app) {
  const slider = h("input", { type: "range", min: 0, max: 2, step: 0.05, class: "dd-slider dd-grow" });
  const number = h("output", { class: "dd-output" });
  slider.addEventListener("input", () => change(app, { strength: Number(slider.value) }, "strength"));
  slider.addEventListener("change", () => app.store.settle());
  const element = h("label", { class: "dd-setting" }, h("span", { class: "dd-label" }, "Strength"), h("span", { class: "dd-row" }, slider, number));
  return {
    element,
    update: (state) => {
      const { strength: value, quality } = state.history.present.choices;
      slider.disabled = quality === "fast";
      element.title = slider.disabled ? "Has no effect on fast edits" : "How firmly the edit is carried out";
      if (Number(slider.value) !== value) slider.value = String(value);
      setText(number, slider.disabled ? "–" : value.toFixed(2));
    },
  };
}

/** @param {App} app
 * @returns {Part} */
function seed(app) {
  const field = h("input", { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1, class: "dd-input dd-grow", "aria-label": "Seed" });
  field.addEventListener("input", () => {
    const value = field.valueAsNumber;
    if (Number.isSafeInteger(value) && value >= 0) change(app, { seed: value }, "seed");
  });
  const dice = iconButton("dice", "Another variation", () => app.store.push(setChoices(app.store.doc, { seed: newSeed() })));
  const element = h("div", { class: "dd-setting" }, h("span", { class: "dd-label" }, "Variation (seed): the same number gives the same result"), h("div", { class: "dd-row" }, field, dice));
  return { element, update: (state) => setValue(field, state.history.present.choices.seed) };
}

/** @param {App} app
 * @returns {Part} */
function tries(app) {
  const field = h("input", { type: "number", min: 1, max: 8, step: 1, class: "dd-input" });
  field.addEventListener("input", () => {
    const value = field.valueAsNumber;
    if (Number.isInteger(value) && value >= 1 && value <= Number(field.max)) change(app, { tries: value }, "tries");
  });
  const element = h("label", { class: "dd-setting dd-inline" }, h("span", { class: "dd-label" }, "Tries, of which the best is kept"), field);
  return {
    element,
    update: (state) => {
      field.max = String(state.session?.limits.tries ?? 8);
      setValue(field, state.history.present.choices.tries);
    },
  };
}

/** @param {App} app
 * @param {"prompt" | "negative"} name
 * @param {string} label
 * @param {string} placeholder
 * @returns {Part} */
function prompt(app, name, label, placeholder) {
  const field = h("input", { type: "text", class: "dd-input", placeholder, autocomplete: "off", maxlength: 1000 });
  field.addEventListener("input", () => change(app, { [name]: field.value }, name));
  const element = h("label", { class: "dd-setting" }, h("span", { class: "dd-label" }, label), field);
  return { element, update: (state) => setValue(field, state.history.present.choices[name]) };
}
