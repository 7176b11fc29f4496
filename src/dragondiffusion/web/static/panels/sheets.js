// Sheets: on small screens the panels and the results fold away, and a row of buttons opens one of them at a time.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 */

import { byName, h, setText } from "./dom.js";

/** @type {["edits" | "settings" | "results", string][]} */
const SHEETS = [
  ["edits", "Edits"],
  ["settings", "Settings"],
  ["results", "Results"],
];

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeSheets(app) {
  const bar = byName(app.root, "tabs");
  const sheets = SHEETS.map(([name, words]) => {
    const panel = byName(app.root, name);
    panel.id = `dd-panel-${name}`;
    const tab = h("button", { type: "button", class: "dd-tab", "aria-controls": panel.id }, words);
    tab.addEventListener("click", () => open(panel.dataset.open === "true" ? "" : name));
    bar.append(tab);
    return { name, words, tab, panel };
  });
  /** @param {string} wanted  empty for none */
  function open(wanted) {
    for (const { name, tab, panel } of sheets) {
      tab.setAttribute("aria-expanded", String(name === wanted));
      panel.dataset.open = String(name === wanted);
    }
  }
  open("");
  const close = () => open("");
  byName(app.root, "stage").addEventListener("pointerdown", close, { capture: true });
  byName(app.root, "run").addEventListener("click", close);
  bar.parentElement?.addEventListener("keydown", (event) => {
    const opened = sheets.find(({ panel }) => panel.dataset.open === "true");
    if (event.key !== "Escape" || event.defaultPrevented || opened === undefined || bar.offsetParent === null) return;
    event.stopPropagation();
    close();
    opened.tab.focus();
  });
  /** @type {string | null} */
  let shown = null;
  return (state) => {
    for (const { name, words, tab } of sheets) {
      const count = name === "results" ? state.jobs.length : name === "edits" ? state.history.present.edits.length : 0;
      setText(tab, count === 0 ? words : `${words} ${count}`);
      tab.hidden = name === "results" && count === 0;
    }
    if (state.shown !== shown && state.shown !== null) close(); // to look at it
    shown = state.shown;
  };
}
