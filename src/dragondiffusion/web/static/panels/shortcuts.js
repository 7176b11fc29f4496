// Keys that hold anywhere on the page: tools, undo, erasing; and the dialog that lists all of them.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../stage/stage.js").Stage} Stage
 */

import { clear } from "../model/document.js";
import { dialog, h } from "./dom.js";
import { saveResult } from "./downloads.js";
import { erase, resizeSelection, selectSubject, takeOriginal } from "../gestures/actions.js";
import { run, show } from "../net/running.js";
import { take, TOOLS } from "./toolbar.js";

/** @type {[string, string][]} */
const KEYS = [
  ["Ctrl + Enter", "Edit"],
  ["Ctrl + S", "Save the result"],
  ["Ctrl + Z", "Undo"],
  ["Ctrl + Shift + Z, Ctrl + Y", "Redo"],
  ["Delete", "Erase the selected object, or delete the chosen edit"],
  ["Arrow keys, Enter", "On the image: a crosshair that selects what is there (C shows it)"],
  ["Arrow keys", "Move the selected object by a pixel; with Shift by ten"],
  ["+, −", "Make it larger or smaller; without a selection: zoom"],
  ["[, ]", "Turn it by a degree; with Shift by fifteen"],
  ["F", "Flip it"],
  ["0", "Show the whole image"],
  ["Esc", "Let go; nothing selected; back from a result"],
  ["Shift + click, Alt + click", "Add to the selection, take away from it"],
  [", and .", "Select a smaller or a larger object at the same place"],
  ["S", "Select the subject of the image"],
  ["O", "On a result: paint the original back, with Alt the result again"],
  ["Pulling handles", "Corners keep proportions, sides scale along one axis; Shift: each axis for itself, Alt: about the centre"],
  ["Turning with Shift", "Steps of fifteen degrees"],
  ["Alt + ↑, Alt + ↓", "In the list of edits: make an edit earlier or later"],
  ["Space or the middle button", "Pull the view"],
  ["Ctrl + V", "Paste an image from the clipboard"],
  .../** @type {[string, string][]} */ (TOOLS.map(([, words, key]) => [key, words])),
  ["?", "This list"],
];

/** @param {App} app */
export function showKeys(app) {
  const rows = KEYS.map(([key, words]) => h("div", { class: "dd-key-row" }, h("dt", {}, h("kbd", { class: "dd-key" }, key)), h("dd", {}, words)));
  dialog(app.root, "Keys", h("dl", { class: "dd-keys" }, ...rows));
}

/** @param {App} app
 * @param {Stage} stage */
export function listenForKeys(app, stage) {
  document.addEventListener("keydown", (event) => {
    if (!app.root.isConnected || event.defaultPrevented || app.root.querySelector("dialog[open]") !== null) return;
    const isTyping = event.target instanceof Element && event.target.matches("input:not([type=range]):not([type=checkbox]), textarea, select");
    if ((event.ctrlKey || event.metaKey) && withControl(app, event, isTyping)) return event.preventDefault();
    if (event.ctrlKey || event.metaKey || isTyping) return;
    if (alone(app, stage, event)) event.preventDefault();
  });
}

/** @param {App} app
 * @param {KeyboardEvent} event
 * @param {boolean} isTyping  then undo is the field's own
 * @returns {boolean} whether the key means something */
function withControl({ store, ...app }, event, isTyping) {
  const key = event.key.toLowerCase();
  if (key === "enter") {
    void run({ store, ...app });
    return true;
  }
  if (key === "s" && !event.shiftKey) {
    saveResult({ store, ...app });
    return true;
  }
  if (isTyping || (key !== "z" && key !== "y")) return false;
  if (key === "y" || event.shiftKey) store.redo();
  else store.undo();
  return true;
}

/** @param {App} app
 * @param {Stage} stage
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key means something */
function alone(app, stage, event) {
  const tool = TOOLS.find(([, , key]) => key.toLowerCase() === event.key.toLowerCase());
  if (tool !== undefined && !event.altKey) return done(() => take(app, tool[0]));
  switch (event.key) {
    case "Delete":
    case "Backspace":
      return done(() => erase(app));
    case ",":
      return done(() => resizeSelection(app, -1));
    case ".":
      return done(() => resizeSelection(app, 1));
    case "s":
    case "S":
      return done(() => selectSubject(app));
    case "o":
    case "O":
      return done(() => takeOriginal(app));
    case "Escape":
      return done(() => leave(app, stage));
    case "+":
    case "=":
      return done(() => stage.zoomIn());
    case "-":
      return done(() => stage.zoomOut());
    case "0":
      return done(() => stage.fit());
    case "?":
      return done(() => showKeys(app));
    default:
      return false;
  }
}

/** @param {() => void} act
 * @returns {true} */
function done(act) {
  act();
  return true;
}

/** Escape: the gesture, the error, the brush that paints the original back, the result, the selection; whatever comes first.
 * @param {App} app
 * @param {Pick<Stage, "cancelGesture">} stage */
export function leave(app, stage) {
  const { store } = app;
  if (stage.cancelGesture()) return;
  if (store.state.error !== null) store.set({ error: null });
  else if (store.state.history.gesture !== null) store.callOff();
  else if (store.state.tool === "original") store.set({ tool: "select" });
  else if (store.state.shown !== null) show(app, null);
  else store.push(clear(store.doc));
}
