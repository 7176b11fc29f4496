// The stage: one canvas that shows a scene and reports to the page what mouse, pen, touch or keys ask for.

/**
 * It changes no document: after each event the page shows the scene that follows.
 *
 * @typedef {import("../gestures/gestures.js").Events} Events
 * @typedef {import("./scene.js").Scene} Scene
 */
import { insetsOf, prepareCanvas } from "./canvas.js";
import { drawGround, drawOver } from "./drawing.js";
import { noInteraction } from "../gestures/interaction.js";
import { themeOf } from "./primitives.js";
import { drawGlance } from "./glance.js";
import { drawLoupe } from "./loupe.js";
import { context, newCanvas } from "../gestures/painting.js";
import { sameThings } from "../gestures/hovering.js";
import { Pointers } from "../gestures/pointers.js";
import { NOTHING, sameGround, subjectOf } from "./scene.js";
import { Shapes } from "./shapes.js";
import { SETTLE_AFTER, letGo, settle, actOnKey } from "../gestures/keyboard.js";
import { settleHandles } from "../gestures/tools.js";
import { Viewport } from "./viewport.js";

/** Milliseconds between steps of the dashes. */
const ANT_STEP = 110;

/** More pixels in a CSS pixel than this are not drawn. */
const LARGEST_RATIO = 3;

/**
 * The canvas in its container. It fills the container; its colours are the container's --dd-* properties, and
 * --dd-inset-top and --dd-inset-bottom say how much of it the page covers, in px.
 */
export class Stage {
  scene = NOTHING;
  viewport = new Viewport();
  interaction = noInteraction();
  shapes = new Shapes();
  #ground = { canvas: newCanvas({ width: 1, height: 1 }), fresh: false };
  #frame = 0;
  #phase = 0;
  #ants = 0;
  #settling = 0;
  #keyed = false;
  #covered = false; // since the gesture in progress began
  #ends = new AbortController();
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #dark = matchMedia("(prefers-color-scheme: dark)");

  /** @param {HTMLElement} container @param {Events} events */
  constructor(container, events) {
    this.container = container;
    this.events = events;
    this.theme = themeOf(container);
    this.canvas = newCanvas({ width: 1, height: 1 });
    prepareCanvas(this.canvas);
    container.append(this.canvas);
    this.pointers = new Pointers(this, this.canvas, this.#ends.signal, () => this.#focus(false));
    this.#listen();
    this.#watcher = new ResizeObserver(() => this.#resize());
    this.#watcher.observe(container);
    this.#resize();
  }

  /** @type {ResizeObserver} */
  #watcher;

  #listen() {
    const signal = this.#ends.signal;
    const again = () => this.redraw();
    this.canvas.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.canvas.addEventListener("focus", () => this.#focus(this.canvas.matches(":focus-visible")), { signal });
    this.canvas.addEventListener("blur", () => this.#focus(false), { signal });
    this.canvas.addEventListener("blur", () => this.pointers.holdSpace(false), { signal });
    document.addEventListener("visibilitychange", again, { signal });
    document.addEventListener("keydown", (event) => this.#space(event), { signal });
    document.addEventListener("keyup", (event) => this.#keyUp(event), { signal });
    this.#still.addEventListener("change", again, { signal });
    this.#dark.addEventListener("change", () => this.show(this.scene), { signal });
  }

  /** @param {boolean} keyed whether the focus is to be seen */
  #focus(keyed) {
    this.#keyed = keyed;
    if (!keyed) this.#settle();
    this.redraw();
  }

  /** Shows a scene. A gesture in progress goes on. @param {Scene} scene */
  show(scene) {
    const [before, theme] = [this.scene, themeOf(this.container)];
    this.scene = scene;
    const same = sameGround(before, scene) && Object.entries(theme).every(([name, colour]) => Reflect.get(this.theme, name) === colour);
    this.theme = theme;
    if (!sameThings(before.doc, scene.doc) || before.tool !== scene.tool) this.pointers.hovering.end();
    if (!this.pointers.active && !this.interaction.keyed) this.#adopt(before, scene);
    if (this.#covered) this.cover();
    if (scene.compare?.image !== before.compare?.image || scene.compare?.split !== before.compare?.split) this.interaction.split = null;
    if (scene.tool !== before.tool) Object.assign(this.interaction, { focus: null, tail: null, landmarks: null, before: null });
    if (scene.doc.picture) this.viewport.open(scene.doc.picture);
    this.pointers.showCursor();
    this.redraw(!same);
  }

  /** The document now contains what the gesture did. @param {Scene} before @param {Scene} scene */
  #adopt(before, scene) {
    const { interaction } = this;
    if (interaction.placing) this.redraw(true);
    interaction.placing = interaction.reading = interaction.arrows = interaction.box = null;
    if (!interaction.before) interaction.landmarks = null;
    const changed = scene.doc.selection !== before.doc.selection || scene.doc.edits !== before.doc.edits;
    const answered = scene.tool === "original" ? scene.doc.backs !== before.doc.backs : changed;
    const over = (before.busy && !scene.busy) || scene.doc.picture?.name !== before.doc.picture?.name || scene.tool !== before.tool;
    if (answered || over) interaction.painting = interaction.asked = null;
    settleHandles(this);
  }

  zoomIn() {
    this.viewport.zoomAt(1.5);
    this.redraw(true);
  }

  zoomOut() {
    this.viewport.zoomAt(1 / 1.5);
    this.redraw(true);
  }

  /** Shows the whole image. */
  fit() {
    this.viewport.fit();
    this.redraw(true);
  }

  /** Cancels the gesture in progress. @returns {boolean} whether there was anything */
  cancelGesture() {
    clearTimeout(this.#settling);
    const any = this.pointers.cancel() || settle(this, "cancel");
    this.interaction.painting = this.interaction.asked = null; // the page will not answer them
    this.redraw();
    return any;
  }

  /** Removes the canvas and everything that listens. */
  destroy() {
    this.cancelGesture();
    this.#ends.abort();
    this.#watcher.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#ants);
    this.canvas.remove();
  }

  /** The page covers another part of the container than before. The image never moves during a gesture. */
  cover() {
    this.#covered = this.pointers.active || this.interaction.keyed !== null;
    if (this.#covered || !this.viewport.cover(insetsOf(this.container))) return;
    settleHandles(this);
    this.redraw(true);
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.container;
    this.viewport.cover(insetsOf(this.container));
    this.viewport.resize({ width, height });
    settleHandles(this);
    cancelAnimationFrame(this.#frame);
    this.#draw(true); // at once: the old drawing would be seen stretched
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#act(event)) {
      if (event.key.length === 1 || event.key === "Enter") this.#settle(); // before a shortcut of the page
      return;
    }
    this.#keyed = event.key !== " ";
    this.redraw();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the stage */
  #act(event) {
    if (event.key === "Escape") return this.cancelGesture() || letGo(this);
    if (event.key === " ") return this.pointers.holdSpace(true), true;
    if (this.pointers.active || !actOnKey(this, event)) return false;
    this.#settleLater();
    return true;
  }

  /** Space is also for the stage where nothing has the focus. @param {KeyboardEvent} event */
  #space(event) {
    if (event.key !== " " || event.target !== document.body || !this.scene.doc.picture) return;
    this.pointers.holdSpace(true);
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #keyUp(event) {
    if (event.key === " ") this.pointers.holdSpace(false);
  }

  #settleLater() {
    clearTimeout(this.#settling);
    if (this.interaction.keyed) this.#settling = window.setTimeout(() => this.#settle(), SETTLE_AFTER);
  }

  /** Makes changes by keys final. */
  #settle() {
    clearTimeout(this.#settling);
    settle(this, "end");
  }

  /** Draws soon; with `ground` also the layer below what moves. @type {(ground?: boolean) => void} */
  redraw = (ground = false) => {
    if (ground) this.#ground.fresh = false;
    if (this.#ends.signal.aborted) return;
    this.#frame ||= requestAnimationFrame(() => this.#draw(false));
  };

  /** @param {boolean} whole */
  #draw(whole) {
    this.#frame = 0;
    const ratio = Math.min(window.devicePixelRatio || 1, LARGEST_RATIO);
    const { width, height } = this.viewport.view;
    const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    for (const canvas of [this.canvas, this.#ground.canvas]) {
      if (canvas.width === size.width && canvas.height === size.height) continue;
      Object.assign(canvas, size);
      whole = true;
    }
    const calm = !this.pointers.active;
    const sheet = { ratio, viewport: this.viewport, theme: this.theme, shapes: this.shapes, calm };
    if (whole || !this.#ground.fresh) drawGround({ ...sheet, pen: context(this.#ground.canvas) }, this.scene, this.interaction);
    this.#ground.fresh = true;
    const pen = context(this.canvas);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.#ground.canvas, 0, 0);
    drawOver({ ...sheet, pen }, this.scene, this.interaction, this.#phase);
    drawGlance({ ...sheet, pen }, this.interaction);
    drawLoupe({ ...sheet, pen }, this.scene, this.interaction);
    this.#drawFocus(pen, ratio);
    this.#walk();
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} ratio */
  #drawFocus(pen, ratio) {
    if (!this.#keyed) return;
    const { width, height } = this.viewport.view;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.lineWidth = 3;
    pen.strokeStyle = this.theme.accent;
    pen.strokeRect(1.5, 1.5, width - 3, height - 3);
  }

  /** Lets the dashes walk on, where there are any and motion is welcome. */
  #walk() {
    clearTimeout(this.#ants);
    const walking = this.interaction.box || this.interaction.asked || (subjectOf(this.scene.doc) && !this.scene.compare && !this.scene.live);
    if (!walking || this.#still.matches || document.hidden) return;
    this.#ants = window.setTimeout(() => {
      this.#phase = (this.#phase + 1) % 60;
      this.redraw();
    }, ANT_STEP);
  }
}
