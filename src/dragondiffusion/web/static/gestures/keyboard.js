// The stage without a pointer: keys move, scale, rotate and flip the current object, or move a crosshair.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("./gestures.js").StageContext} StageContext
 */
import { clampPoint, scaled, wrapAngle } from "../model/geometry.js";
import { painting, split, splitOf } from "./gestures.js";
import { put, putting } from "./placing.js";
import { arrowsOf, howOf, landmarksOf, subjectOf } from "../stage/scene.js";
import { currentSubject, removeFocused, tapped } from "./tools.js";

/** @type {Object<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Steps: of the object in pixels and degrees, of the crosshair in CSS pixels; the second with shift. */
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
 * @param {StageContext} stage
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key was for the stage
 */
export function actOnKey(stage, event) {
  if (isShortcut(event) || !stage.scene.doc.picture) return false;
  if (stage.scene.compare) return keyCompare(stage, event) || keyView(stage, event);
  if (stage.scene.busy) return keyView(stage, event);
  return keyFocus(stage, event) || keySubject(stage, event) || keyCrosshair(stage, event) || keyView(stage, event);
}

/** @param {StageContext} stage @param {KeyboardEvent} event */
function keyView({ viewport, redraw }, { key }) {
  if (key === "+" || key === "=") viewport.zoomAt(1.25);
  else if (key === "-") viewport.zoomAt(1 / 1.25);
  else if (key === "0") viewport.fit();
  else return false;
  redraw(true);
  return true;
}

/** @param {StageContext} stage @param {KeyboardEvent} event */
function keyCompare(stage, { key, shiftKey }) {
  const direction = ARROWS[key]?.[0];
  if (direction) split(stage, splitOf(stage) + direction * STEPS.split[Number(shiftKey)]);
  return Boolean(direction);
}

/** Takes away the arrow or landmark that was touched last. @param {StageContext} stage @param {KeyboardEvent} event */
function keyFocus(stage, { key }) {
  const { scene, interaction } = stage;
  if (interaction.focus === null || (scene.tool !== "drag" && scene.tool !== "landmarks")) return false;
  const things = scene.tool === "drag" ? arrowsOf(scene.doc) : landmarksOf(scene.doc).to;
  if ((key !== "Delete" && key !== "Backspace") || interaction.focus >= things.length) return false;
  removeFocused(stage, interaction.focus);
  return true;
}

/** @param {StageContext} stage @param {KeyboardEvent} event */
function keySubject(stage, event) {
  const [subject, held] = [subjectOf(stage.scene.doc), currentSubject(stage)];
  if (!subject || !held || stage.scene.still || stage.scene.tool !== "select" || stage.interaction.crosshair) return false;
  const placing = changed(held.placing, event);
  if (!placing) return false;
  stage.interaction.keyed ??= subject;
  put(stage, subject, placing, whatChanges(event.key));
  return true;
}

/** A placing after a key. @param {Placing} placing @param {KeyboardEvent} event @returns {Placing | null} */
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

/** Makes the changes of the subject by keys final, or takes them back. @param {StageContext} stage @param {"end" | "cancel"} how @returns {boolean} whether they did anything */
export function settle(stage, how) {
  const { keyed } = stage.interaction;
  stage.interaction.keyed = null;
  if (keyed) putting(stage, keyed)[how]();
  return keyed !== null;
}

/** @param {StageContext} stage @param {KeyboardEvent} event */
function keyCrosshair(stage, event) {
  const { interaction, viewport, scene } = stage;
  if (scene.tool === "pan") return keyPan(stage, event);
  if (event.key === "c" || event.key === "C") {
    interaction.crosshair = interaction.crosshair ? null : middleOf(stage);
  } else if (ARROWS[event.key]) {
    const step = STEPS.crosshair[Number(event.shiftKey)] / viewport.zoom;
    const [dx, dy] = ARROWS[event.key];
    const [x, y] = interaction.crosshair ?? middleOf(stage); // the first press only shows it
    guide(stage, clampPoint(interaction.crosshair ? [x + step * dx, y + step * dy] : [x, y], viewport.picture));
  } else if (event.key === "Enter" && interaction.crosshair) {
    enter(stage, interaction.crosshair, event);
  } else return false;
  stage.redraw(true);
  return true;
}

/** @param {StageContext} stage @param {KeyboardEvent} event */
function keyPan({ viewport, redraw }, { key, shiftKey }) {
  if (!ARROWS[key]) return false;
  const step = STEPS.crosshair[Number(shiftKey)];
  viewport.panBy([-step * ARROWS[key][0], -step * ARROWS[key][1]]);
  redraw(true);
  return true;
}

/** The middle of what is seen of the image. @param {StageContext} stage @returns {Point} */
function middleOf({ viewport }) {
  return clampPoint(viewport.toPicture([viewport.view.width / 2, viewport.view.height / 2]), viewport.picture);
}

/** The crosshair goes to a point, with the landmark that moves with it. @param {StageContext} stage @param {Point} to */
function guide(stage, to) {
  const { interaction, viewport, scene } = stage;
  interaction.crosshair = to;
  viewport.reveal(to, 32);
  stage.events.onTell?.(crosshairWords(stage, to));
  if (scene.tool !== "landmarks" || interaction.focus === null || !interaction.landmarks) return;
  interaction.landmarks = interaction.landmarks.map((point, i) => (i === interaction.focus ? to : point));
  stage.events.onLandmarks(interaction.landmarks, false);
}

/** Where the crosshair is. @param {StageContext} stage @param {Point} at @returns {string} */
function crosshairWords({ viewport: { picture } }, [x, y]) {
  return `${Math.round((100 * x) / picture.width)} % from the left, ${Math.round((100 * y) / picture.height)} % from the top`;
}

/** Enter at the crosshair. @param {StageContext} stage @param {Point} at @param {KeyboardEvent} event */
function enter(stage, at, event) {
  const { scene, interaction, events, viewport } = stage;
  const screen = viewport.toScreen(at);
  if (scene.tool === "select") {
    if (howOf(scene, event) === "new") interaction.crosshair = null; // from here on arrows move the object
    tapped(stage, screen, event, false);
  } else if (scene.tool === "drag") enterArrow(stage, at);
  else if (scene.tool === "landmarks") enterLandmark(stage, screen, event);
  else if (scene.tool === "lasso") events.onHint("The lasso needs a pointer; use the brush with the keyboard.");
  else painting(stage, screen, event)?.end();
}

/** The first Enter sets the tail, the second the tip. @param {StageContext} stage @param {Point} at */
function enterArrow({ interaction, scene, events }, at) {
  if (!interaction.tail) {
    interaction.tail = at;
    events.onHint("Move the crosshair to where that point should go and press Enter; Escape takes it back.");
    return;
  }
  const arrows = arrowsOf(scene.doc);
  const tail = interaction.tail;
  interaction.tail = null;
  interaction.focus = arrows.length;
  events.onArrows([...arrows, [tail, at]], true);
}

/** The first Enter takes a landmark up or adds one, the second puts it down. @param {StageContext} stage @param {Point} screen @param {KeyboardEvent} event */
function enterLandmark(stage, screen, event) {
  const { interaction, scene, events } = stage;
  const carried = interaction.landmarks;
  if (carried) {
    interaction.landmarks = interaction.before = null;
    return events.onLandmarks(carried, true);
  }
  const { to } = landmarksOf(scene.doc);
  tapped(stage, screen, event, false);
  if (interaction.focus === null || interaction.focus >= to.length) return;
  interaction.before = to;
  interaction.landmarks = to.slice();
  events.onHint("Arrow keys move this landmark, Enter puts it down.");
}

/** Escape: takes back what is half done. The rest is the page's. @param {StageContext} stage @returns {boolean} whether there was anything */
export function letGo(stage) {
  const { interaction, events } = stage;
  if (interaction.tail || interaction.landmarks) {
    const before = interaction.landmarks && interaction.before;
    interaction.tail = interaction.landmarks = interaction.before = null;
    if (before) events.onLandmarks(before, false);
  } else if (interaction.crosshair || interaction.focus !== null) {
    interaction.crosshair = interaction.focus = null;
  } else return false;
  stage.redraw(true);
  return true;
}
