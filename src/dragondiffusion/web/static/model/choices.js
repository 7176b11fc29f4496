// The choices a person understands, and the settings of the method that they stand for.

/**
 * @typedef {import("./types.js").Choices} Choices
 * @typedef {Object<string, unknown>} Settings  a preset and what differs from it
 */

import { CHOICES } from "./document.js";

/** The choice "best" adds to the default: more steps, and the best of several tries. Source: chosen. */
const BEST_STEPS = 30;
const BEST_TRIES = 3;

/** Settings of the method for each choice of how much of the rest is preserved. Source: chosen.
 * @type {Record<Choices["keep"], Settings>} */
const KEEP = {
  everything: {},
  most: { composite_feather: 3, clamp_margin: 1 },
  little: { composite: false, clamp_rest: 0.7 },
};

/** Settings of a recipe; what is set under "Advanced" comes last.
 * @param {Choices} choices
 * @returns {Settings} */
export function settingsOf(choices) {
  return {
    preset: choices.quality === "fast" ? "fast" : "default",
    ...(choices.quality === "best" ? { steps: BEST_STEPS } : {}),
    ...(choices.strength === 1 ? {} : { guidance_strength: choices.strength }),
    ...KEEP[choices.keep],
    ...choices.advanced,
  };
}

/** How many seeds are tried; recipes do not say it.
 * @param {Choices} choices
 * @returns {number} */
export function triesOf(choices) {
  return choices.quality === "best" ? Math.max(BEST_TRIES, choices.tries) : choices.tries;
}

/** The choices that settings stand for; what has no choice of its own goes under "Advanced".
 * @param {Settings} settings
 * @returns {Pick<Choices, "quality" | "strength" | "keep" | "advanced">} */
export function choicesOf(settings) {
  const { preset = "default", ...rest } = settings;
  const quality = preset === "fast" ? "fast" : preset === "default" && rest.steps === BEST_STEPS ? "best" : "default";
  if (quality === "best") delete rest.steps;
  const strength = takenStrength(rest);
  const keep = takenKeep(rest);
  const advanced = preset === "fast" || preset === "default" ? rest : { preset, ...rest };
  return { quality, strength, keep, advanced };
}

/** The strength among settings, which loses it.
 * @param {Settings} settings
 * @returns {number} */
function takenStrength(settings) {
  const given = settings.guidance_strength;
  if (typeof given !== "number" || given > 2) return CHOICES.strength;
  delete settings.guidance_strength;
  return given;
}

/** The choice of what stays among settings, which lose it.
 * @param {Settings} settings
 * @returns {Choices["keep"]} */
function takenKeep(settings) {
  for (const keep of /** @type {const} */ (["most", "little"])) {
    const wanted = Object.entries(KEEP[keep]);
    if (wanted.every(([name, value]) => sameValue(settings[name], value))) {
      for (const [name] of wanted) delete settings[name];
      return keep;
    }
  }
  return "everything";
}

/** Whether two JSON values are equal; a window of every step is one that does not say so.
 * @param {unknown} a
 * @param {unknown} b
 * @returns {boolean} */
export function sameValue(a, b) {
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

/** @param {unknown} value
 * @returns {unknown} */
function plain(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([name, part]) => !(name === "every" && part === 1));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
