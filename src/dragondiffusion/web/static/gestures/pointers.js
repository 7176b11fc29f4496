// Mouse, pen and fingers on the canvas: which gesture begins, which one ends.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("./gestures.js").StageContext} StageContext
 * @typedef {import("./gestures.js").Gesture} Gesture
 * @typedef {{at: Point, time: number}} Tap
 * @typedef {{ids: [number, number], gesture: ReturnType<typeof pinchingSubject> | ReturnType<typeof pinchingView>}} Pinch
 */
import { distance, insideQuad, middle } from "../model/geometry.js";
import { framing } from "../stage/framing.js";
import { Hovering } from "./hovering.js";
import { panning, pinchingView } from "./gestures.js";
import { pinchingSubject } from "./placing.js";
import { paints, subjectOf } from "../stage/scene.js";
import { cursorAt, dragged, currentSubject, pressed, settleHandles, tapped } from "./tools.js";
import { wheelFactor } from "../stage/viewport.js";

/** CSS pixels a pointer may shake before a press becomes a pull. */
const SHAKE = { fine: 4, coarse: 9 };

/** Two taps within this time (milliseconds) and distance (CSS pixels) are one double tap. */
const TWICE = { time: 350, distance: 24 };

/** The pointers on one canvas. */
export class Pointers {
  /** @type {Map<number, Point>} pointers that are down, CSS pixels */
  #down = new Map();
  /** @type {{id: number, from: Point, gesture: Gesture | null} | null} */
  #press = null;
  /** @type {Pinch | null} */
  #pinch = null;
  /** @type {Tap | null} */
  #lastTap = null;
  #space = false;

  /**
   * @param {StageContext} stage @param {HTMLCanvasElement} canvas @param {AbortSignal} signal ends all listening
   * @param {() => void} onPress the canvas has the focus, nothing has begun
   */
  constructor(stage, canvas, signal, onPress) {
    this.stage = stage;
    this.hovering = new Hovering(stage);
    this.canvas = canvas;
    this.onPress = onPress;
    /** @param {"pointerdown" | "pointermove" | "pointerup" | "pointercancel" | "pointerleave"} name @param {(event: PointerEvent) => void} act */
    const on = (name, act) => canvas.addEventListener(name, act, { signal });
    on("pointerdown", (event) => this.#onDown(event));
    on("pointermove", (event) => this.#onMove(event));
    on("pointerup", (event) => this.#onUp(event));
    on("pointercancel", (event) => this.#onLost(event));
    on("pointerleave", () => this.#hover(null));
    canvas.addEventListener("wheel", (event) => this.#onWheel(event), { signal, passive: false });
    canvas.addEventListener("contextmenu", (event) => this.#onMenu(event), { signal });
  }

  /** Whether a gesture is in progress. */
  get active() {
    return this.#press !== null || this.#pinch !== null;
  }

  /** Takes back what is being done. @returns {boolean} whether there was anything */
  cancel() {
    const gesture = this.#pinch?.gesture ?? this.#press?.gesture;
    const any = this.active;
    this.#press = this.#pinch = null;
    gesture?.cancel();
    return any;
  }

  /** While space is held, a pull pans. @param {boolean} held */
  holdSpace(held) {
    this.#space = held;
    this.showCursor();
  }

  /** Sets the cursor for where the pointer is. */
  showCursor() {
    const { pointer } = this.stage.interaction;
    if (this.#press?.gesture && !this.#space) return;
    const cursor = this.#space ? (this.#press ? "grabbing" : "grab") : pointer ? cursorAt(this.stage, pointer) : "";
    this.canvas.style.cursor = cursor;
  }

  /** @param {MouseEvent} event @returns {Point} */
  #at(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (event.button === 2) return;
    this.hovering.end();
    const { stage } = this;
    const at = this.#at(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.onPress();
    stage.interaction.coarse = event.pointerType === "touch";
    stage.interaction.crosshair = stage.interaction.tail = null;
    this.#down.set(event.pointerId, at);
    if (this.#down.size === 2) return this.#startPinch();
    if (this.#down.size > 2 || this.active) return;
    event.preventDefault();
    const pans = this.#space || event.button === 1;
    const gesture = pans ? panning(stage, at) : pressed(stage, at, event);
    this.#press = { id: event.pointerId, from: at, gesture };
    if (pans) this.canvas.style.cursor = "grabbing";
    stage.redraw();
  }

  /** An object that one finger already carries goes on from where it is. */
  #startPinch() {
    const { stage } = this;
    const carried = stage.interaction.placing ? this.#press?.gesture?.subject : undefined;
    if (!carried) this.#press?.gesture?.cancel();
    this.#press = null;
    const ids = /** @type {[number, number]} */ ([...this.#down.keys()]);
    const fingers = /** @type {[Point, Point]} */ ([...this.#down.values()]);
    const subject = carried ?? (this.#pinchable(fingers) ? subjectOf(stage.scene.doc) : null);
    this.#pinch = { ids, gesture: subject ? pinchingSubject(stage, subject, fingers) : pinchingView(stage, fingers) };
  }

  /** Whether two fingers are on the subject. @param {[Point, Point]} fingers */
  #pinchable(fingers) {
    const { scene, viewport, interaction } = this.stage;
    const held = currentSubject(this.stage);
    if (!held || scene.tool !== "select" || scene.busy || scene.still || scene.compare) return false;
    const { quad } = framing(viewport, held, interaction.knob);
    return [...fingers, middle(...fingers)].some((point) => insideQuad(point, quad));
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    if (!this.#down.has(event.pointerId)) return this.#hover(event);
    const at = this.#at(event);
    this.#down.set(event.pointerId, at);
    if (this.#pinch?.ids.includes(event.pointerId)) return this.#followPinch(this.#pinch);
    const press = this.#press;
    if (press?.id !== event.pointerId) return;
    const { interaction } = this.stage;
    interaction.pointer = interaction.coarse ? null : at;
    if (!press.gesture) {
      if (distance(at, press.from) < (interaction.coarse ? SHAKE.coarse : SHAKE.fine)) return;
      press.gesture = dragged(this.stage, press.from);
    }
    const steps = event.getCoalescedEvents?.() ?? [];
    if (interaction.painting && steps.length > 1) for (const step of steps) press.gesture?.move(this.#at(step), event);
    else press.gesture?.move(at, event);
  }

  /** @param {Pinch} pinch */
  #followPinch({ ids, gesture }) {
    const [p, q] = ids.map((id) => this.#down.get(id));
    if (p && q) gesture.follow([p, q]);
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#pinch?.ids.includes(event.pointerId)) return this.#endPinch();
    const press = this.#press;
    if (press?.id !== event.pointerId) return;
    this.#press = null;
    if (press.gesture) press.gesture.end();
    else tapped(this.stage, press.from, event, this.#isSecondTap(press.from, event.timeStamp));
    this.#rest();
  }

  #endPinch() {
    const pinch = this.#pinch;
    this.#pinch = null;
    pinch?.gesture.end();
    this.#rest();
  }

  /** @param {PointerEvent} event */
  #onLost(event) {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#press?.id === event.pointerId || this.#pinch?.ids.includes(event.pointerId)) this.cancel();
    this.#rest();
  }

  /** After a gesture. */
  #rest() {
    if (!this.stage.interaction.placing) settleHandles(this.stage);
    this.showCursor();
    this.stage.redraw(true);
  }

  /** @param {Point} at @param {number} time milliseconds */
  #isSecondTap(at, time) {
    const last = this.#lastTap;
    const second = last !== null && time - last.time < TWICE.time && distance(at, last.at) < TWICE.distance;
    this.#lastTap = second ? null : { at, time };
    return second;
  }

  /** @param {PointerEvent | null} event null: the pointer is elsewhere */
  #hover(event) {
    const { interaction } = this.stage;
    if (this.active || (event && event.pointerType === "touch")) return;
    if (event) interaction.coarse = false;
    interaction.pointer = event && this.#at(event);
    this.showCursor();
    this.hovering.at(event?.buttons === 0 ? interaction.pointer : null);
    if (paints(this.stage.scene.tool)) this.stage.redraw();
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    const { stage } = this;
    if (!stage.scene.doc.picture) return;
    event.preventDefault();
    this.hovering.end();
    if (this.#pinch || this.#press?.gesture) return;
    if (event.shiftKey && !event.ctrlKey) stage.viewport.panBy([-(event.deltaX || event.deltaY), 0]);
    else stage.viewport.zoomAt(wheelFactor(event), this.#at(event));
    settleHandles(stage);
    stage.redraw(true);
  }

  /** A long press offers nothing; with alt a click removes. @param {MouseEvent} event */
  #onMenu(event) {
    if (this.stage.interaction.coarse || this.active) event.preventDefault();
  }
}
