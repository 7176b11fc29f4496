// Gestures that place the current object: move, scale, rotate, and all of them with two fingers.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("../stage/scene.js").Subject} Subject
 * @typedef {import("./gestures.js").Gesture} Gesture
 * @typedef {import("./gestures.js").StageContext} StageContext
 */
import { caughtAngle, keptInside, moved, opposite, pinched, pulled, turned } from "../model/geometry.js";

/** Angles this close to upright, or to what they were, are that, degrees. */
const CATCH = 2.5;

/**
 * Puts the subject elsewhere.
 * @param {StageContext} stage @param {Subject} subject @param {Point} from CSS pixels
 * @param {import("../model/geometry.js").HandleName | "inside"} part of the frame that is pulled
 * @returns {Gesture}
 */
export function placing(stage, subject, from, part) {
  const [start, begun] = [stage.viewport.toPicture(from), stage.interaction.placing ?? subject.placing];
  const anchor = subject.mask.centroid;
  return {
    ...putting(stage, subject),
    move(at, { shiftKey, altKey }) {
      const to = stage.viewport.toPicture(at);
      if (part === "inside") return put(stage, subject, moved(begun, start, along(start, to, shiftKey)), "move");
      if (part === "rotate") return put(stage, subject, caught(turned(begun, anchor, start, to, shiftKey), begun), "rotate");
      const fixed = altKey ? anchor : opposite(part, subject.mask.box);
      put(stage, subject, pulled(begun, anchor, fixed, start, to, axesOf(part, shiftKey)), "scale");
    },
  };
}

/** What a handle scales: a side along its own axis, a corner both alike, or with shift each. @param {import("../model/geometry.js").HandleName} name @param {boolean} free */
function axesOf(name, free) {
  if (name === "e" || name === "w") return "x";
  if (name === "n" || name === "s") return "y";
  return free ? "each" : "both";
}

/** Close to upright is upright. @param {Placing} placing @param {Placing} begun @returns {Placing} */
function caught(placing, begun) {
  return { ...placing, angle: caughtAngle(placing.angle, begun.angle, CATCH) };
}

/** With shift only along the longer of the two axes. @param {Point} from @param {Point} to @param {boolean} straight @returns {Point} */
function along(from, to, straight) {
  if (!straight) return to;
  return Math.abs(to[0] - from[0]) >= Math.abs(to[1] - from[1]) ? [to[0], from[1]] : [from[0], to[1]];
}

/**
 * Shows the subject elsewhere and reports it.
 * @param {StageContext} stage @param {Subject} subject @param {Placing} placing
 * @param {"move" | "scale" | "rotate" | "pinch"} what changes
 */
export function put(stage, subject, placing, what) {
  const { interaction, scene } = stage;
  const fresh = interaction.placing === null;
  interaction.placing = keptInside(placing, subject.mask.centroid, stage.viewport.picture);
  if (scene.preview && fresh) interaction.stale = { image: scene.preview.image, edits: scene.doc.edits };
  interaction.reading = { what, text: reading(interaction.placing, what) };
  stage.redraw(fresh);
  stage.events.onPlace(interaction.placing, false);
}

/** The figures beside an object while it changes. @param {Placing} placing @param {"move" | "scale" | "rotate" | "pinch"} what */
function reading({ scale, angle }, what) {
  const [x, y] = scale.map((factor) => Math.round(100 * factor));
  const size = x === y ? `${x}%` : `${x} × ${y}%`;
  const turn = `${Math.round(angle)}°`.replace("-0°", "0°").replace("-", "−");
  return { move: "", scale: size, rotate: turn, pinch: `${size}  ${turn}` }[what];
}

/** The end of whatever puts the subject elsewhere. @param {StageContext} stage @param {Subject} subject */
export function putting(stage, subject) {
  const { interaction } = stage;
  return {
    subject,
    end() {
      interaction.reading = null;
      stage.redraw();
      if (interaction.placing) stage.events.onPlace(interaction.placing, true); // it stays there until the page shows what follows
    },
    cancel() {
      if (!interaction.placing) return;
      interaction.placing = interaction.reading = null;
      stage.redraw(true);
      stage.events.onPlace(subject.placing, false);
    },
  };
}

/** Two fingers on the subject. @param {StageContext} stage @param {Subject} subject @param {[Point, Point]} fingers CSS pixels */
export function pinchingSubject(stage, subject, fingers) {
  const { viewport, interaction } = stage;
  const begun = interaction.placing ?? subject.placing;
  const from = /** @type {[Point, Point]} */ (fingers.map((p) => viewport.toPicture(p)));
  return {
    ...putting(stage, subject),
    /** @param {[Point, Point]} now */
    follow(now) {
      const to = /** @type {[Point, Point]} */ (now.map((p) => viewport.toPicture(p)));
      put(stage, subject, caught(pinched(begun, subject.mask.centroid, from, to), begun), "pinch");
    },
  };
}
