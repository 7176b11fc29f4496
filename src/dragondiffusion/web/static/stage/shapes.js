// Shapes of masks, computed once and drawn often: outlines, tints, and objects cut out of their images.

/**
 * @typedef {import("../model/types.js").Box} Box
 * @typedef {import("../model/types.js").Mask} Mask
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("./outline.js").Bitmap} Bitmap
 * @typedef {import("../model/geometry.js").Size} Size
 */
import { cropped, extent, outlines, reduced } from "./outline.js";
import { context, fill, newCanvas } from "../gestures/painting.js";
import { sizeOf } from "./scene.js";

/** Outlines are found on bitmaps of at most this side. */
const OUTLINE_SIDE = 768;

/** So many shapes are kept. */
const MOST = 24;

/** A mask that can be drawn. Only the part with something in it is kept. */
export class Shape {
  /** @type {Path2D} outline in full-size pixels */
  path = new Path2D();
  /** @type {Map<string, HTMLCanvasElement>} by colour */
  #tints = new Map();
  /** @type {WeakMap<object, HTMLCanvasElement>} by image */
  #cutouts = new WeakMap();

  /** @param {CanvasImageSource} source grey view of the mask @param {Size} full size of the image */
  constructor(source, full) {
    this.source = source;
    this.view = sizeOf(source);
    this.full = full;
    const whole = greys(source, this.view);
    /** @type {Box} in pixels of the view */
    this.part = extent(whole) ?? [0, 0, 1, 1];
    this.bitmap = cropped(whole, this.part);
    this.alpha = alphaCanvas(this.bitmap);
    this.#outline();
  }

  get #ratio() {
    return [this.full.width / this.view.width, this.full.height / this.view.height];
  }

  /** The part in full-size pixels. @returns {Box} */
  get box() {
    const [kx, ky] = this.#ratio;
    const [x0, y0, x1, y1] = this.part;
    return [x0 * kx, y0 * ky, x1 * kx, y1 * ky];
  }

  #outline() {
    const [kx, ky] = this.#ratio;
    const small = reduced(this.bitmap, OUTLINE_SIDE);
    for (const loop of outlines(small)) {
      loop.forEach(([x, y], i) => {
        const at = /** @type {Point} */ ([(x * small.step + this.part[0]) * kx, (y * small.step + this.part[1]) * ky]);
        this.path[i ? "lineTo" : "moveTo"](...at);
      });
      this.path.closePath();
    }
  }

  /** Whether the object is at a point. @param {Point} point full-size pixels */
  has([x, y]) {
    const [kx, ky] = this.#ratio;
    const [column, row] = [Math.floor(x / kx) - this.part[0], Math.floor(y / ky) - this.part[1]];
    const { width, height, data } = this.bitmap;
    return column >= 0 && row >= 0 && column < width && row < height && data[row * width + column] >= 128;
  }

  /** The shape in one colour, to be drawn at `box`. @param {string} colour */
  tint(colour) {
    let tint = this.#tints.get(colour);
    if (!tint) {
      tint = newCanvas(this.alpha);
      const pen = context(tint);
      pen.drawImage(this.alpha, 0, 0);
      pen.globalCompositeOperation = "source-in";
      fill(pen, colour);
      this.#tints.set(colour, tint);
    }
    return tint;
  }

  /**
   * The object cut out of a view of its image, to be drawn at `box`.
   * @param {CanvasImageSource} image
   */
  cutout(image) {
    let cut = this.#cutouts.get(image);
    if (!cut) {
      const size = sizeOf(image);
      const [kx, ky] = [size.width / this.full.width, size.height / this.full.height];
      const [x0, y0, x1, y1] = this.box;
      const [w, h] = [Math.max(1, Math.ceil((x1 - x0) * kx)), Math.max(1, Math.ceil((y1 - y0) * ky))];
      cut = newCanvas({ width: w, height: h });
      const pen = context(cut);
      pen.drawImage(image, x0 * kx, y0 * ky, (x1 - x0) * kx, (y1 - y0) * ky, 0, 0, w, h);
      pen.globalCompositeOperation = "destination-in";
      pen.drawImage(this.alpha, 0, 0, w, h);
      this.#cutouts.set(image, cut);
    }
    return cut;
  }
}

/** Shapes of the masks that were shown last. */
export class Shapes {
  /** @type {Map<string, Shape>} the one that was asked for last at the end */
  #shapes = new Map();

  /** The shape of a mask; null while its view is not there. @param {Mask} mask @param {Map<string, CanvasImageSource>} sources */
  get(mask, sources) {
    const source = sources.get(mask.name);
    if (!source || sizeOf(source).width === 0) return null;
    const known = this.#shapes.get(mask.name);
    const shape = known?.source === source ? known : new Shape(source, mask);
    this.#shapes.delete(mask.name);
    this.#shapes.set(mask.name, shape);
    const [oldest] = this.#shapes.keys();
    if (this.#shapes.size > MOST) this.#shapes.delete(oldest);
    return shape;
  }
}

/** @param {CanvasImageSource} source @param {Size} size @returns {Bitmap} */
export function greys(source, { width, height }) {
  const pen = context(newCanvas({ width, height }), { willReadFrequently: true });
  pen.drawImage(source, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = data[4 * i];
  return { width, height, data: grey };
}

/** White, as opaque as the mask is white. @param {Bitmap} bitmap */
export function alphaCanvas({ width, height, data }) {
  const canvas = newCanvas({ width, height });
  const pixels = new ImageData(width, height);
  pixels.data.fill(255);
  for (let i = 0; i < data.length; i++) pixels.data[4 * i + 3] = data[i];
  context(canvas).putImageData(pixels, 0, 0);
  return canvas;
}
