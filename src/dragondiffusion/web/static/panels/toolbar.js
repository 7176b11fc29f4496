// The bars of buttons: actions on the whole image at the top, the tools at the left.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Tool} Tool
 * @typedef {import("../stage/stage.js").Stage} Stage
 */

import { byName, h, labelledButton, wordButton } from "./dom.js";
import { copyAs, downloadable, downloadFiles, downloadRecipe, downloadResult } from "./downloads.js";
import { beginArrows, beginLandmarks } from "../gestures/actions.js";
import { canRedo, canUndo } from "../model/history.js";
import { activeEdits } from "../model/inspection.js";
import { openScene } from "../net/opening.js";
import { menu } from "./menu.js";
import { run } from "../net/running.js";

/** Each begins with the word that stands below its drawing.
 * @type {[Tool, string, string][]} */
export const TOOLS = [
  ["select", "Select and move", "V"],
  ["brush", "Brush: paint what belongs to the object", "B"],
  ["eraser", "Eraser: paint what does not", "E"],
  ["lasso", "Lasso: draw around the object", "L"],
  ["drag", "Arrows: drag points to points", "D"],
  ["landmarks", "Landmarks of a face", "M"],
  ["pan", "Pan: move the view", "H"],
];

/** @type {[string, string][]} */
const SCENES = [
  ["move", "An object to move"],
  ["remove", "An object to erase"],
  ["resize", "An object to make larger"],
  ["rotate", "An object to turn"],
  ["paste", "An object to paste from a second image"],
  ["appearance", "An appearance to take from a second image"],
  ["drag", "Points to drag"],
  ["landmarks", "Landmarks"],
];

/** @param {App} app
 * @param {Stage} stage
 * @param {() => void} help
 * @returns {(state: State) => void}  to be called after each change */
export function makeToolbar(app, stage, help) {
  const bar = byName(app.root, "toolbar");
  const undo = labelledButton("undo", "Undo (Ctrl+Z)", "Undo", () => app.store.undo());
  const redo = labelledButton("redo", "Redo (Ctrl+Shift+Z)", "Redo", () => app.store.redo());
  const download = downloadMenu(app);
  bar.append(
    openButton(app),
    sceneMenu(app),
    gap(),
    undo,
    redo,
    gap(),
    labelledButton("minus", "Zoom out (−)", "Zoom out", () => stage.zoomOut(), "dd-desk"),
    labelledButton("fit", "Whole image (0)", "Whole", () => stage.fit()),
    labelledButton("plus", "Zoom in (+)", "Zoom in", () => stage.zoomIn(), "dd-desk"),
    gap(),
    download.element,
    labelledButton("restore", "Restore from a recipe or a result", "Restore", () => byName(app.root, "restore-file").click()),
    labelledButton("help", "Keys (?)", "Keys", help, "dd-desk"),
  );
  const runButton = /** @type {HTMLButtonElement} */ (byName(app.root, "run"));
  runButton.addEventListener("click", () => void run(app));
  return (state) => {
    undo.disabled = state.looked === null && !canUndo(state.history);
    redo.disabled = !canRedo(state.history);
    runButton.classList.toggle("dd-quiet", activeEdits(state.history.present).length === 0 || state.shown !== null);
    download.update();
  };
}

/** @param {App} app
 * @returns {HTMLElement} */
function openButton(app) {
  const button = wordButton("open", "Open", () => byName(app.root, "file").click(), "dd-open");
  button.setAttribute("aria-label", "Open an image");
  button.title = "Open an image";
  return button;
}

/** @returns {HTMLElement} */
function gap() {
  return h("span", { class: "dd-gap", role: "separator" });
}

/** @param {App} app
 * @returns {HTMLElement} */
function sceneMenu(app) {
  const items = SCENES.map(([kind, words]) => wordButton("", words, () => void openScene(app, kind), "dd-item"));
  return menu("scene", "Try a drawn scene: examples", items, "Examples");
}

/** @param {App} app */
function downloadMenu(app) {
  const picture = wordButton("", "Image, full size (PNG)", () => {
    const job = downloadable(app);
    if (job !== null) void downloadResult(app, job);
  }, "dd-item");
  const items = [
    picture,
    wordButton("", "Recipe (JSON)", () => void downloadRecipe(app), "dd-item"),
    wordButton("", "All files (ZIP)", () => void downloadFiles(app), "dd-item"),
    wordButton("", "Copy as Python", () => void copyAs(app, "python"), "dd-item"),
    wordButton("", "Copy as a command line", () => void copyAs(app, "command"), "dd-item"),
  ];
  const update = () => {
    picture.disabled = downloadable(app) === null;
  };
  return { element: menu("download", "Download", items, "Download"), update };
}

/** Selects a tool.
 * @param {App} app
 * @param {Tool} tool */
export function take(app, tool) {
  app.store.set({ tool });
  if (tool === "landmarks") void beginLandmarks(app);
  if (tool === "drag") beginArrows(app);
}

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeTools(app) {
  const strip = byName(app.root, "tools");
  const buttons = TOOLS.map(([tool, words, key]) => {
    const button = labelledButton(tool, `${words} (${key})`, words.split(/\W/, 1)[0] ?? "", () => take(app, tool));
    strip.append(button);
    return { tool, button };
  });
  return (state) => {
    for (const { tool, button } of buttons) button.setAttribute("aria-pressed", String(tool === state.tool));
  };
}
