// The stage without a pointer: keys move, scale, turn and flip the thing at hand, or steer a crosshair.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("./gestures.js").Bench} Bench
 */
import { clampPoint, scaled, wrapAngle } from "../model/geometry.js";
import { painting, put, putting, split, splitOf } from "./gestures.js";
import { arrowsOf, chosenEdit, howOf, landmarksOf, subjectOf } from "../stage/scene.js";
import { heldSubject, removeFocused, tapped } from "./tools.js";

/** @type {Object<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Steps: of the thing in pixels and degrees, of the crosshair in CSS pixels; the second with shift. */
const STEPS = { move: [1, 10], turn: [1, 15], crosshair: [8, 40], split: [0.01, 0.1] };

/** One press of + or -. */
const GROWTH = 1.05;

/** Milliseconds without a key after which a change by keys is final. */
export const SETTLE_AFTER = 700;

/** Whether a key belongs to the page or the browser. @param {KeyboardEvent} event */
function isShortcut(event) {
  return (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph");
}

/**
 * Acts on a key.
 * @param {Bench} bench
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key was for the stage
 */
export function steer(bench, event) {
  if (isShortcut(event) || !bench.scene.doc.picture) return false;
  if (bench.scene.compare) return keyCompare(bench, event) || keyView(bench, event);
  if (bench.scene.busy) return keyView(bench, event);
  return keyFocus(bench, event) || keySubject(bench, event) || keyCrosshair(bench, event) || keyView(bench, event);
}

/** @param {Bench} bench @param {KeyboardEvent} event */
function keyView({ viewport, redraw }, { key }) {
  if (key === "+" || key === "=") viewport.zoomAt(1.25);
  else if (key === "-") viewport.zoomAt(1 / 1.25);
  else if (key === "0") viewport.fit();
  else return false;
  redraw(true);
  return true;
}

/** @param {Bench} bench @param {KeyboardEvent} event */
function keyCompare(bench, { key, shiftKey }) {
  const direction = ARROWS[key]?.[0];
  if (direction) split(bench, splitOf(bench) + direction * STEPS.split[Number(shiftKey)]);
  return Boolean(direction);
}

/** Takes away the arrow or landmark that was touched last. @param {Bench} bench @param {KeyboardEvent} event */
function keyFocus(bench, { key }) {
  const { scene, hand } = bench;
  if (hand.focus === null || (scene.tool !== "drag" && scene.tool !== "landmarks")) return false;
  const things = scene.tool === "drag" ? arrowsOf(scene.doc) : landmarksOf(scene.doc).to;
  if ((key !== "Delete" && key !== "Backspace") || hand.focus >= things.length) return false;
  removeFocused(bench, hand.focus);
  return true;
}

/** @param {Bench} bench @param {KeyboardEvent} event */
function keySubject(bench, event) {
  const [subject, held] = [subjectOf(bench.scene.doc), heldSubject(bench)];
  if (!subject || !held || bench.scene.tool !== "select" || bench.hand.crosshair) return false;
  const placing = changed(held.placing, event);
  if (!placing) return false;
  bench.hand.keyed ??= subject;
  put(bench, subject, placing, whatChanges(event.key));
  return true;
}

/** What a key makes of a placing. @param {Placing} placing @param {KeyboardEvent} event @returns {Placing | null} */
function changed(placing, { key, shiftKey }) {
  const turn = STEPS.turn[Number(shiftKey)];
  const step = STEPS.move[Number(shiftKey)];
  const { offset, angle, flip } = placing;
  if (ARROWS[key]) return { ...placing, offset: [offset[0] + step * ARROWS[key][0], offset[1] + step * ARROWS[key][1]] };
  if (key === "+" || key === "=") return scaled(placing, [GROWTH, GROWTH]);
  if (key === "-" || key === "_") return scaled(placing, [1 / GROWTH, 1 / GROWTH]);
  if (key === "[" || key === "{") return { ...placing, angle: wrapAngle(angle + turn) };
  if (key === "]" || key === "}") return { ...placing, angle: wrapAngle(angle - turn) };
  return key === "f" || key === "F" ? { ...placing, flip: !flip } : null;
}

/** @param {string} key @returns {"move" | "scale" | "rotate"} */
function whatChanges(key) {
  if (ARROWS[key] || key.toLowerCase() === "f") return "move";
  return "[]{}".includes(key) ? "rotate" : "scale";
}

/** What keys did to the subject is final, or taken back. @param {Bench} bench @param {"end" | "cancel"} how @returns {boolean} whether they did anything */
export function settle(bench, how) {
  const { keyed } = bench.hand;
  bench.hand.keyed = null;
  if (keyed) putting(bench, keyed)[how]();
  return keyed !== null;
}

/** @param {Bench} bench @param {KeyboardEvent} event */
function keyCrosshair(bench, event) {
  const { hand, viewport, scene } = bench;
  if (scene.tool === "pan") return keyPan(bench, event);
  if (event.key === "c" || event.key === "C") {
    hand.crosshair = hand.crosshair ? null : middleOf(bench);
  } else if (ARROWS[event.key]) {
    const step = STEPS.crosshair[Number(event.shiftKey)] / viewport.zoom;
    const [dx, dy] = ARROWS[event.key];
    const [x, y] = hand.crosshair ?? middleOf(bench); // the first press only shows it
    guide(bench, clampPoint(hand.crosshair ? [x + step * dx, y + step * dy] : [x, y], viewport.picture));
  } else if (event.key === "Enter" && hand.crosshair) {
    enter(bench, hand.crosshair, event);
  } else return false;
  bench.redraw(true);
  return true;
}

/** @param {Bench} bench @param {KeyboardEvent} event */
function keyPan({ viewport, redraw }, { key, shiftKey }) {
  if (!ARROWS[key]) return false;
  const step = STEPS.crosshair[Number(shiftKey)];
  viewport.panBy([-step * ARROWS[key][0], -step * ARROWS[key][1]]);
  redraw(true);
  return true;
}

/** The middle of what is seen of the picture. @param {Bench} bench @returns {Point} */
function middleOf({ viewport }) {
  return clampPoint(viewport.toPicture([viewport.view.width / 2, viewport.view.height / 2]), viewport.picture);
}

/** The crosshair goes to a point, with the landmark it carries. @param {Bench} bench @param {Point} to */
function guide(bench, to) {
  const { hand, viewport, scene } = bench;
  hand.crosshair = to;
  viewport.reveal(to, 32);
  if (scene.tool !== "landmarks" || hand.focus === null || !hand.landmarks) return;
  hand.landmarks = hand.landmarks.map((point, i) => (i === hand.focus ? to : point));
  bench.events.onLandmarks(hand.landmarks, false);
}

/** Enter at the crosshair. @param {Bench} bench @param {Point} at @param {KeyboardEvent} event */
function enter(bench, at, event) {
  const { scene, hand, events, viewport } = bench;
  const screen = viewport.toScreen(at);
  if (scene.tool === "select") {
    if (howOf(scene, event) === "new") hand.crosshair = null; // from here on arrows move the thing
    tapped(bench, screen, event, false);
  } else if (scene.tool === "drag") enterArrow(bench, at);
  else if (scene.tool === "landmarks") enterLandmark(bench, screen, event);
  else if (scene.tool === "lasso") events.onHint("The lasso needs a pointer; use the brush with the keyboard.");
  else painting(bench, screen, event)?.end();
}

/** The first Enter sets the tail, the second the tip. @param {Bench} bench @param {Point} at */
function enterArrow({ hand, scene, events }, at) {
  if (!hand.tail) {
    hand.tail = at;
    events.onHint("Move the crosshair to where that point should go and press Enter; Escape takes it back.");
    return;
  }
  const arrows = arrowsOf(scene.doc);
  const tail = hand.tail;
  hand.tail = null;
  hand.focus = arrows.length;
  events.onArrows([...arrows, [tail, at]], true);
}

/** The first Enter takes a landmark up or adds one, the second puts it down. @param {Bench} bench @param {Point} screen @param {KeyboardEvent} event */
function enterLandmark(bench, screen, event) {
  const { hand, scene, events } = bench;
  const carried = hand.landmarks;
  if (carried) {
    hand.landmarks = hand.before = null;
    return events.onLandmarks(carried, true);
  }
  const { to } = landmarksOf(scene.doc);
  tapped(bench, screen, event, false);
  if (hand.focus === null || hand.focus >= to.length) return;
  hand.before = to;
  hand.landmarks = to.slice();
  events.onHint("Arrow keys move this landmark, Enter puts it down.");
}

/** Escape: takes back what is half done; else nothing is chosen. @param {Bench} bench @returns {boolean} whether there was anything */
export function letGo(bench) {
  const { hand, scene, events } = bench;
  if (hand.tail || hand.landmarks) {
    const before = hand.landmarks && hand.before;
    hand.tail = hand.landmarks = hand.before = null;
    if (before) events.onLandmarks(before, false);
  } else if (hand.crosshair || hand.focus !== null) {
    hand.crosshair = hand.focus = null;
  } else {
    if (!scene.doc.selection && !chosenEdit(scene.doc)) return false;
    events.onChoose(null);
  }
  bench.redraw(true);
  return true;
}
