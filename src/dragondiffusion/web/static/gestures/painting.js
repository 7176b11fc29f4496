// Brush, eraser and lasso: strokes drawn on a canvas of the view's size.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/geometry.js").Size} Size
 * @typedef {CanvasRenderingContext2D} Context
 */

/** Something painted that is not finished. */
export class Painting {
  /** @type {Point[]} pixels of the full-size image */
  points = [];
  /** @type {CanvasImageSource | null} what is painted with; null is a colour */
  paper = null;
  /** @type {HTMLCanvasElement | null} */
  #cut = null;
  #canvas;
  #isStale = false; // points came since a soft stroke was drawn

  /**
   * @param {"stroke" | "lasso"} kind
   * @param {Size} picture full size
   * @param {Size} view size of the canvas that is painted on
   * @param {number} brush diameter in pixels of the full-size image
   * @param {string} colour
   * @param {(size: Size) => HTMLCanvasElement} [makeCanvas]
   * @param {number} [softness] share of the brush's radius over which it fades, 0 to 1
   */
  constructor(kind, picture, view, brush, colour, makeCanvas = newCanvas, softness = 0) {
    this.kind = kind;
    this.softness = softness;
    this.ratio = view.width / picture.width;
    this.#canvas = makeCanvas({ width: Math.max(1, Math.round(view.width)), height: Math.max(1, Math.round(view.height)) });
    this.pen = context(this.#canvas);
    this.pen.lineCap = this.pen.lineJoin = "round";
    this.pen.lineWidth = Math.max(brush * this.ratio, 1);
    this.pen.strokeStyle = this.pen.fillStyle = colour;
  }

  /** The pointer went on to a point. @param {Point} point pixels of the full-size image */
  to(point) {
    const last = this.points.at(-1);
    this.points.push(point);
    if (this.kind === "lasso") return;
    if (this.softness > 0) return void (this.#isStale = true);
    const [from, to] = [last ?? point, point].map((p) => p.map((c) => c * this.ratio));
    this.pen.beginPath();
    this.pen.moveTo(from[0], from[1]);
    this.pen.lineTo(to[0], to[1]); // round caps make a dot of a line without length
    this.pen.stroke();
  }

  /** What has been painted so far, transparent elsewhere. A soft stroke is drawn when it is looked at, not for every point. */
  get canvas() {
    if (this.#isStale) this.#softly();
    return this.#canvas;
  }

  /** The whole stroke at once, as its own blurred shadow: strokes over each other would be harder where they meet. */
  #softly() {
    const { pen, softness } = this;
    const { canvas } = pen;
    this.#isStale = false;
    const beside = 2 * canvas.width; // the stroke itself is out of sight
    const width = pen.lineWidth;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.shadowColor = /** @type {string} */ (pen.strokeStyle);
    pen.shadowOffsetX = beside;
    pen.shadowBlur = (softness * width) / 4;
    pen.lineWidth = width * (1 - softness / 2); // half of it is there at this width, nothing beyond the brush
    pen.beginPath();
    this.points.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x * this.ratio - beside, y * this.ratio));
    if (this.points.length === 1) pen.lineTo(this.points[0][0] * this.ratio - beside, this.points[0][1] * this.ratio);
    pen.stroke();
    pen.lineWidth = width;
  }

  /** Whether nothing was painted. */
  get isEmpty() {
    return this.kind === "lasso" ? this.points.length < 3 : this.points.length === 0;
  }

  /** Fills the lasso; this is shown until the server has answered. */
  close() {
    if (this.kind !== "lasso") return;
    this.pen.beginPath();
    for (const [x, y] of this.points) this.pen.lineTo(x * this.ratio, y * this.ratio);
    this.pen.closePath();
    this.pen.fill();
  }

  /** What was painted cut out of the paper; null where there is none. @returns {HTMLCanvasElement | null} */
  cut() {
    if (!this.paper) return null;
    const { width, height } = this.canvas;
    this.#cut ??= newCanvas({ width, height });
    const pen = context(this.#cut);
    pen.globalCompositeOperation = "copy";
    pen.drawImage(this.canvas, 0, 0);
    pen.globalCompositeOperation = "source-in";
    pen.drawImage(this.paper, 0, 0, width, height);
    return this.#cut;
  }

  /** The painting as white on black. @param {(size: Size) => HTMLCanvasElement} [makeCanvas] */
  mask(makeCanvas = newCanvas) {
    const mask = makeCanvas({ width: this.canvas.width, height: this.canvas.height });
    const pen = context(mask);
    pen.drawImage(this.canvas, 0, 0);
    pen.globalCompositeOperation = "source-in";
    fill(pen, "#fff");
    pen.globalCompositeOperation = "destination-over";
    fill(pen, "#000");
    return mask;
  }
}

/** @param {Size} size @returns {HTMLCanvasElement} */
export function newCanvas({ width, height }) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @param {CanvasRenderingContext2DSettings} [settings] @returns {Context} */
export function context(canvas, settings) {
  const pen = canvas.getContext("2d", settings);
  if (!pen) throw new Error("this browser gives no 2D canvas");
  return pen;
}

/** Fills the whole canvas. @param {Context} pen @param {string} colour */
export function fill(pen, colour) {
  pen.fillStyle = colour;
  pen.fillRect(0, 0, pen.canvas.width, pen.canvas.height);
}
