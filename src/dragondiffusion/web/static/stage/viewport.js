// Where the image lies in the view: zoom and pan between pixels of the full-size image and CSS pixels of the canvas.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/geometry.js").Size} Size
 */
import { clamp } from "../model/geometry.js";

/** CSS pixels that a fitted image leaves free on every side. */
const MARGIN = 16;

/** CSS pixels an image's pixel has at most. */
const LARGEST_ZOOM = 16;

/** Smallest zoom in units of the fitted one. */
const SMALLEST_SHARE = 0.5;

/** A point p of the image is seen at `zoom * p + pan`. */
export class Viewport {
  /** @type {Size} of the canvas, CSS pixels */
  view = { width: 1, height: 1 };
  /** @type {Size} of the image */
  picture = { width: 1, height: 1 };
  zoom = 1;
  /** @type {Point} */
  pan = [0, 0];
  /** CSS pixels at the top and at the bottom that the page covers. */
  insets = { top: 0, bottom: 0 };
  /** Whether the whole image is kept in view when the canvas changes its size. */
  fitted = true;

  /** The zoom at which the whole image is seen. */
  get fitZoom() {
    const { view, picture } = this;
    const room = [Math.max(view.width - 2 * MARGIN, 1), Math.max(this.room.height - 2 * MARGIN, 1)];
    return Math.min(room[0] / picture.width, room[1] / picture.height, LARGEST_ZOOM);
  }

  /** Where nothing lies over the view. A view that is too low is used as a whole. @returns {{top: number, height: number}} */
  get room() {
    const { top, bottom } = this.insets;
    const height = this.view.height - top - bottom;
    return height >= this.view.height / 2 ? { top, height } : { top: 0, height: this.view.height };
  }

  /** @returns {[number, number]} smallest and largest zoom */
  get limits() {
    return [SMALLEST_SHARE * this.fitZoom, Math.max(LARGEST_ZOOM, this.fitZoom)];
  }

  /** Shows the whole image. */
  fit() {
    const { top, height } = this.room;
    this.zoom = this.fitZoom;
    this.pan = [
      (this.view.width - this.zoom * this.picture.width) / 2,
      top + (height - this.zoom * this.picture.height) / 2,
    ];
    this.fitted = true;
  }

  /** The canvas has another size. The middle stays in the middle. @param {Size} view CSS pixels */
  resize(view) {
    const middle = this.toPicture([this.view.width / 2, this.view.height / 2]);
    this.view = { width: Math.max(view.width, 1), height: Math.max(view.height, 1) };
    if (this.fitted) return this.fit();
    this.zoom = clamp(this.zoom, ...this.limits);
    this.pan = [this.view.width / 2 - this.zoom * middle[0], this.view.height / 2 - this.zoom * middle[1]];
    this.#keep();
  }

  /** The page covers other parts of the view than before. @param {{top: number, bottom: number}} insets CSS pixels @returns {boolean} whether the image moved */
  cover(insets) {
    const same = insets.top === this.insets.top && insets.bottom === this.insets.bottom;
    this.insets = insets;
    const moves = !same && this.fitted;
    if (moves) this.fit();
    return moves;
  }

  /** Another image. One of the same size is shown where the former one was. @param {Size} picture */
  open(picture) {
    const same = picture.width === this.picture.width && picture.height === this.picture.height;
    this.picture = { width: picture.width, height: picture.height };
    if (!same) this.fit();
  }

  /** Zooms by a factor; what is at `at` stays there. @param {number} factor @param {Point} [at] CSS pixels; the middle of the view */
  zoomAt(factor, at = [this.view.width / 2, this.view.height / 2]) {
    const point = this.toPicture(at);
    this.zoom = clamp(this.zoom * factor, ...this.limits);
    this.pan = [at[0] - this.zoom * point[0], at[1] - this.zoom * point[1]];
    this.fitted = false;
    this.#keep();
  }

  /** @param {Point} by CSS pixels */
  panBy([dx, dy]) {
    this.pan = [this.pan[0] + dx, this.pan[1] + dy];
    this.fitted = false;
    this.#keep();
  }

  /** Pans by as little as brings a point into view. @param {Point} point of the image @param {number} margin CSS pixels */
  reveal(point, margin) {
    const [x, y] = this.toScreen(point);
    /** @param {number} at @param {number} length */
    const missing = (at, length) => clamp(at, Math.min(margin, length / 2), Math.max(length - margin, length / 2)) - at;
    const by = /** @type {Point} */ ([missing(x, this.view.width), missing(y, this.view.height)]);
    if (by[0] || by[1]) this.panBy(by);
  }

  /** @param {Point} at CSS pixels @returns {Point} pixels of the image */
  toPicture([x, y]) {
    return [(x - this.pan[0]) / this.zoom, (y - this.pan[1]) / this.zoom];
  }

  /** @param {Point} point pixels of the image @returns {Point} CSS pixels */
  toScreen([x, y]) {
    return [this.zoom * x + this.pan[0], this.zoom * y + this.pan[1]];
  }

  /** The image never leaves the middle of the view. */
  #keep() {
    const { view, picture, zoom, pan } = this;
    this.pan = [
      clamp(pan[0], view.width / 2 - zoom * picture.width, view.width / 2),
      clamp(pan[1], view.height / 2 - zoom * picture.height, view.height / 2),
    ];
  }
}

/** The factor of a turn of the wheel. @param {{deltaY: number, deltaMode: number, ctrlKey: boolean}} wheel */
export function wheelFactor({ deltaY, deltaMode, ctrlKey }) {
  const pixels = deltaY * (deltaMode === 1 ? 16 : deltaMode === 2 ? 400 : 1);
  return Math.exp(-clamp(pixels, -240, 240) * (ctrlKey ? 0.01 : 0.002)); // pinches of a trackpad come in small steps
}
