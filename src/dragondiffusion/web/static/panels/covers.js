// How much of the stage the page covers: the image is fitted into what is left.

/** @typedef {import("../model/state.js").App} App
 * @typedef {import("../stage/stage.js").Stage} Stage */

import { byName } from "./dom.js";

/** CSS pixels between what covers the stage and the image's margin. */
const APART = 2;

/** The note that stays for as long as a result is looked at; others pass, and the image does not move for them. */
const STAYING = ".dd-verdict:not([hidden])";

/** Lets the image make room for bars of two lines and for long notes, beyond what the style reserves for one.
 * @param {App} app
 * @param {Stage} stage */
export function watchCovers(app, stage) {
  const [box, main, notes, bars] = ["stage", "main", "notes", "bars"].map((name) => byName(app.root, name));
  if (box === undefined || main === undefined || notes === undefined || bars === undefined) return;
  const measure = () => {
    const style = getComputedStyle(main);
    const reserved = (/** @type {string} */ side) => parseFloat(style.getPropertyValue(`--dd-inset-${side}`)) || 0;
    const over = box.getBoundingClientRect();
    const bottoms = Array.from(notes.querySelectorAll(STAYING), (note) => note.getBoundingClientRect().bottom - over.top + APART);
    const insets = { top: Math.max(reserved("top"), ...bottoms), bottom: Math.max(reserved("bottom"), over.bottom - bars.getBoundingClientRect().top + APART) };
    for (const [side, size] of Object.entries(insets)) box.style.setProperty(`--dd-inset-${side}`, `${Math.round(size)}px`);
    stage.cover();
  };
  const watcher = new ResizeObserver(measure);
  for (const element of [box, notes, bars]) watcher.observe(element);
}
