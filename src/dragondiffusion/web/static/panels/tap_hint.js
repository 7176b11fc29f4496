// Where a newcomer should tap: the object that stands out most in a drawn scene, shown by a ring that pulses.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../stage/stage.js").Stage} Stage
 */

import { byName } from "./dom.js";
import { guideOf } from "./notices.js";

/** Cells along each side of the coarse image that is searched. */
const CELLS = 24;

/** @param {App} app
 * @param {Stage} stage
 * @returns {(state: State) => void} */
export function makeTapHint(app, stage) {
  const ring = byName(app.root, "pulse");
  const main = /** @type {HTMLElement} */ (ring.parentElement);
  /** @type {Map<string, Point>} */
  const found = new Map();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!still) ring.animate({ transform: ["scale(0.6)", "scale(1.5)"], opacity: [1, 0] }, { duration: 1300, iterations: Infinity });
  const update = (/** @type {State} */ state) => {
    const { picture, edits, selection } = state.history.present;
    const isNew = picture !== null && edits.length === 0 && selection === null && guideOf(state) !== null;
    const view = isNew && picture.drawn === true ? app.views.get(picture.name) : null;
    ring.hidden = view === null || picture === null;
    if (view === null || picture === null) return;
    const share = found.get(picture.name) ?? standsOut(view);
    found.set(picture.name, share);
    const [x, y] = stage.viewport.toScreen([share[0] * picture.width, share[1] * picture.height]);
    Object.assign(ring.style, { left: `${x}px`, top: `${y}px` });
  };
  new ResizeObserver(() => requestAnimationFrame(() => update(app.store.state))).observe(main);
  return (state) => void requestAnimationFrame(() => update(state)); // after the stage has fitted the image
}

/** Where an image differs most from its usual colour, as shares of its sides.
 * @param {CanvasImageSource} view
 * @returns {Point} */
function standsOut(view) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: CELLS, height: CELLS });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.imageSmoothingQuality = "high";
  context.drawImage(view, 0, 0, CELLS, CELLS);
  return farthest(context.getImageData(0, 0, CELLS, CELLS).data, CELLS);
}

/** The middle of the 3x3 cells whose colours are farthest from the medians of all.
 * @param {Uint8ClampedArray} pixels  four bytes a cell
 * @param {number} side  cells along each side
 * @returns {Point} shares of the sides */
export function farthest(pixels, side) {
  const usual = [0, 1, 2].map((channel) => median(Array.from({ length: side * side }, (_, k) => pixels[4 * k + channel] ?? 0)));
  const away = Array.from({ length: side * side }, (_, k) =>
    Math.hypot(...usual.map((value, channel) => (pixels[4 * k + channel] ?? 0) - value)),
  );
  let [best, at] = [-1, 0];
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const near = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => away[(y + dy) * side + x + dx] ?? 0));
      const least = Math.min(...near); // all nine: not a hole, not a border
      if (least > best) [best, at] = [least, y * side + x];
    }
  }
  return [((at % side) + 0.5) / side, (Math.floor(at / side) + 0.5) / side];
}

/** @param {number[]} values
 * @returns {number} */
function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
