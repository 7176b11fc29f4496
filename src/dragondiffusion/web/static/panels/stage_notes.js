// Notes on the image that stay as long as they hold: why the edits cannot be made, and what the model is good for.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 */

import { byHand, refusalOf } from "../model/status.js";
import { byName, h, setText, wordButton } from "./dom.js";

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeStageNotes(app) {
  const refusal = byName(app.root, "refusal");
  const manual = byName(app.root, "by-hand");
  const purpose = byName(app.root, "purpose");
  const [words, command] = [h("p", {}), h("code", { class: "dd-command" })];
  const copy = wordButton("copy", "Copy", () => void copied(app, command.textContent ?? ""), "dd-compact dd-plain");
  const more = h("div", { class: "dd-row dd-purpose-more" }, "For those:", command, copy);
  const toggle = wordButton("", "More", () => {
    const isOpen = purpose.classList.toggle("dd-open"); // on small screens
    toggle.setAttribute("aria-expanded", String(isOpen));
  }, "dd-compact dd-plain dd-purpose-toggle");
  toggle.setAttribute("aria-expanded", "false");
  purpose.append(words, toggle, more);
  const main = /** @type {HTMLElement} */ (purpose.parentElement);
  new ResizeObserver(() => main.style.setProperty("--dd-below", `${purpose.offsetHeight}px`)).observe(purpose); // the stage ends above it
  return (state) => {
    const why = refusalOf(state);
    refusal.hidden = why === null;
    setText(refusal, why ?? "");
    const how = byHand(state);
    manual.hidden = how === null || why !== null;
    setText(manual, how ?? "");
    purpose.hidden = !needsBetter(state) || state.shown !== null; // a result has its own report
    setText(words, state.session?.good_for ?? "");
    setText(command, state.session?.better ?? "");
  };
}

/** Whether the open image is one that the model may not be good for.
 * @param {State} state
 * @returns {boolean} */
export function needsBetter({ session, history }) {
  const { picture } = history.present;
  return picture !== null && picture.drawn !== true && (session?.good_for ?? "") !== "";
}

/** @param {App} app
 * @param {string} text */
async function copied(app, text) {
  try {
    await navigator.clipboard.writeText(text);
    app.store.say("The command is copied.");
  } catch {
    app.store.say(`This browser lets no page copy; the command is: ${text}`);
  }
}
