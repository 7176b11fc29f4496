// What a hand does from press to release: each gesture follows the pointer, then tells the page or is cancelled.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("../stage/scene.js").Scene} Scene
 * @typedef {import("../stage/scene.js").Subject} Subject
 *
 * @typedef {import("../model/types.js").StageEvents & {onSplit?: (split: number) => void}} Events  onSplit: the line between before and
 *   after was moved to this share of the width
 *
 * @typedef {object} Bench  What gestures work on.
 * @property {Scene} scene
 * @property {import("../stage/viewport.js").Viewport} viewport
 * @property {import("./interaction.js").Hand} hand
 * @property {import("../stage/shapes.js").Shapes} shapes
 * @property {Events} events
 * @property {import("../stage/primitives.js").Theme} theme
 * @property {(ground?: boolean) => void} redraw  soon; `ground`: also what lies under the hand
 *
 * @typedef {{shiftKey: boolean, altKey: boolean}} Keys
 *
 * @typedef {object} Gesture
 * @property {(at: Point, keys: Keys) => void} move  CSS pixels
 * @property {() => void} end
 * @property {() => void} cancel
 * @property {Subject} [subject]  what it puts elsewhere, as it was before
 */
import { boxBetween, caughtAngle, clamp, clampPoint, keptInside, minus, moved, pinched, pulled, turned } from "../model/geometry.js";
import { distance, middle } from "../model/geometry.js";
import { Painting } from "./painting.js";
import { howOf, sizeOf } from "../stage/scene.js";

/** Arrows and boxes shorter than this are slips of the hand, CSS pixels. */
const SHORTEST = 5;

/** Angles this close to upright, or to what they were, are that, degrees. */
const CATCH = 2.5;

/** @param {Bench} bench @param {Point} from @returns {Gesture} */
export function panning({ viewport, redraw }, from) {
  let last = from;
  return {
    move(at) {
      viewport.panBy(minus(at, last));
      last = at;
      redraw(true);
    },
    end() {},
    cancel() {},
  };
}

/**
 * Puts the subject elsewhere.
 * @param {Bench} bench @param {Subject} subject @param {Point} from CSS pixels
 * @param {"move" | "scale" | "rotate"} what
 * @returns {Gesture}
 */
export function placing(bench, subject, from, what) {
  const [start, begun] = [bench.viewport.toPicture(from), bench.hand.placing ?? subject.placing];
  const anchor = subject.mask.centroid;
  return {
    ...putting(bench, subject),
    move(at, { shiftKey }) {
      const to = bench.viewport.toPicture(at);
      if (what === "move") put(bench, subject, moved(begun, start, along(start, to, shiftKey)), what);
      else if (what === "scale") put(bench, subject, pulled(begun, anchor, start, to, shiftKey), what);
      else put(bench, subject, caught(turned(begun, anchor, start, to, shiftKey), begun), what);
    },
  };
}

/** Hands are not exact: close to upright is upright. @param {Placing} placing @param {Placing} begun @returns {Placing} */
function caught(placing, begun) {
  return { ...placing, angle: caughtAngle(placing.angle, begun.angle, CATCH) };
}

/** With shift only along the longer of the two axes. @param {Point} from @param {Point} to @param {boolean} straight @returns {Point} */
function along(from, to, straight) {
  if (!straight) return to;
  return Math.abs(to[0] - from[0]) >= Math.abs(to[1] - from[1]) ? [to[0], from[1]] : [from[0], to[1]];
}

/**
 * Shows the subject elsewhere and tells so.
 * @param {Bench} bench @param {Subject} subject @param {Placing} placing
 * @param {"move" | "scale" | "rotate" | "pinch"} what changes
 */
export function put(bench, subject, placing, what) {
  const { hand, scene } = bench;
  const fresh = hand.placing === null;
  hand.placing = keptInside(placing, subject.mask.centroid, bench.viewport.picture);
  if (scene.preview && fresh) hand.stale = { image: scene.preview.image, edits: scene.doc.edits };
  hand.reading = { what, text: reading(hand.placing, what) };
  bench.redraw(fresh);
  bench.events.onPlace(hand.placing, false);
}

/** What is shown beside a thing while it changes. @param {Placing} placing @param {"move" | "scale" | "rotate" | "pinch"} what */
function reading({ scale, angle }, what) {
  const [x, y] = scale.map((factor) => Math.round(100 * factor));
  const size = x === y ? `${x}%` : `${x} × ${y}%`;
  const turn = `${Math.round(angle)}°`.replace("-0°", "0°").replace("-", "−");
  return { move: "", scale: size, rotate: turn, pinch: `${size}  ${turn}` }[what];
}

/** The end of whatever puts the subject elsewhere. @param {Bench} bench @param {Subject} subject */
export function putting(bench, subject) {
  const { hand } = bench;
  return {
    subject,
    end() {
      hand.reading = null;
      bench.redraw();
      if (hand.placing) bench.events.onPlace(hand.placing, true); // it stays there until the page shows what follows
    },
    cancel() {
      if (!hand.placing) return;
      hand.placing = hand.reading = null;
      bench.redraw(true);
      bench.events.onPlace(subject.placing, false);
    },
  };
}

/** Two fingers on the subject. @param {Bench} bench @param {Subject} subject @param {[Point, Point]} fingers CSS pixels */
export function pinchingSubject(bench, subject, fingers) {
  const { viewport, hand } = bench;
  const begun = hand.placing ?? subject.placing;
  const from = /** @type {[Point, Point]} */ (fingers.map((p) => viewport.toPicture(p)));
  return {
    ...putting(bench, subject),
    /** @param {[Point, Point]} now */
    follow(now) {
      const to = /** @type {[Point, Point]} */ (now.map((p) => viewport.toPicture(p)));
      put(bench, subject, caught(pinched(begun, subject.mask.centroid, from, to), begun), "pinch");
    },
  };
}

/** Two fingers on the view. @param {Bench} bench @param {[Point, Point]} fingers CSS pixels */
export function pinchingView({ viewport, redraw }, fingers) {
  let last = fingers;
  return {
    /** @param {[Point, Point]} now */
    follow(now) {
      const [from, to] = [middle(...last), middle(...now)];
      viewport.panBy(minus(to, from));
      viewport.zoomAt(distance(...now) / Math.max(distance(...last), 1), to);
      last = now;
      redraw(true);
    },
    end() {},
    cancel() {},
  };
}

/** Draws a box around a thing. @param {Bench} bench @param {Point} from @returns {Gesture} */
export function boxing(bench, from) {
  const { hand, viewport } = bench;
  const start = viewport.toPicture(from);
  return {
    move(at) {
      hand.box = boxBetween(start, viewport.toPicture(at), viewport.picture);
      bench.redraw();
    },
    end() {
      const box = hand.box;
      this.cancel();
      if (box && Math.min(box[2] - box[0], box[3] - box[1]) * viewport.zoom >= SHORTEST) bench.events.onBox(box);
    },
    cancel() {
      hand.box = null;
      bench.redraw();
    },
  };
}

/** Paints with brush, eraser or lasso. @param {Bench} bench @param {Point} from @param {Keys} keys @returns {Gesture | null} */
export function painting(bench, from, keys) {
  const { hand, viewport, scene, theme } = bench;
  const image = scene.doc.picture && scene.images.get(scene.doc.picture.name);
  if (!image) return null;
  const kind = scene.tool === "lasso" ? "lasso" : "stroke";
  const removes = scene.tool === "eraser" || howOf(scene, keys) === "remove";
  const colour = removes ? theme.danger : theme.accent;
  const work = new Painting(kind, viewport.picture, sizeOf(image), scene.brush, colour);
  hand.painting = work;
  /** @param {Point} at */
  const go = (at) => {
    work.to(viewport.toPicture(at));
    bench.redraw();
  };
  go(from);
  return {
    move: go,
    end() {
      if (work.isEmpty) return this.cancel();
      work.close(); // it stays on show until the page knows the mask
      bench.redraw();
      bench.events.onPaint(work.mask(), removes ? "remove" : "add");
    },
    cancel() {
      hand.painting = null;
      bench.redraw();
    },
  };
}

/**
 * Pulls an end of an arrow.
 * @param {Bench} bench
 * @param {[Point, Point][]} arrows as they are
 * @param {number} index which; one that is not there begins at `from`
 * @param {0 | 1} end tail or tip
 * @param {Point} from CSS pixels
 * @returns {Gesture}
 */
export function pullingArrow(bench, arrows, index, end, from) {
  const { hand, viewport } = bench;
  const start = clampPoint(viewport.toPicture(from), viewport.picture);
  /** @type {[Point, Point]} */
  const arrow = arrows[index] ?? [start, start];
  const grip = minus(viewport.toScreen(arrow[end]), from);
  hand.focus = index;
  return {
    move(at) {
      const to = clampPoint(viewport.toPicture([at[0] + grip[0], at[1] + grip[1]]), viewport.picture);
      const changed = /** @type {[Point, Point]} */ (end ? [arrow[0], to] : [to, arrow[1]]);
      hand.arrows = arrows.slice();
      hand.arrows[index] = changed;
      hand.finger = hand.coarse ? to : null;
      bench.redraw();
      bench.events.onArrows(hand.arrows, false);
    },
    end() {
      const pulled = hand.arrows?.[index];
      if (!hand.arrows || !pulled || distance(...pulled) * viewport.zoom < SHORTEST) return this.cancel();
      hand.finger = null;
      bench.redraw();
      bench.events.onArrows(hand.arrows, true);
    },
    cancel() {
      hand.arrows = hand.finger = null;
      if (index >= arrows.length) hand.focus = null;
      bench.redraw();
      bench.events.onArrows(arrows, false);
    },
  };
}

/** Drags a landmark. @param {Bench} bench @param {Point[]} points as they are @param {number} index @param {Point} from @returns {Gesture} */
export function pullingLandmark(bench, points, index, from) {
  const { hand, viewport } = bench;
  const grip = minus(viewport.toScreen(points[index]), from);
  hand.focus = index;
  return {
    move(at) {
      const to = clampPoint(viewport.toPicture([at[0] + grip[0], at[1] + grip[1]]), viewport.picture);
      hand.landmarks = points.slice();
      hand.landmarks[index] = to;
      hand.finger = hand.coarse ? to : null;
      bench.redraw();
      bench.events.onLandmarks(hand.landmarks, false);
    },
    end() {
      hand.finger = null;
      bench.redraw();
      if (hand.landmarks) bench.events.onLandmarks(hand.landmarks, true);
    },
    cancel() {
      hand.landmarks = hand.finger = null;
      bench.redraw();
      bench.events.onLandmarks(points, false);
    },
  };
}

/** Moves the line between before and after. @param {Bench} bench @param {Point} from @returns {Gesture} */
export function splitting(bench, from) {
  const { viewport } = bench;
  const begun = splitOf(bench);
  return {
    move(at) {
      split(bench, begun + (at[0] - from[0]) / (viewport.zoom * viewport.picture.width));
    },
    end() {},
    cancel() {
      split(bench, begun);
    },
  };
}

/** Where the line between before and after is. @param {Bench} bench */
export function splitOf({ hand, scene }) {
  return hand.split ?? scene.compare?.split ?? 0.5;
}

/** @param {Bench} bench @param {number} to share of the width */
export function split(bench, to) {
  bench.hand.split = clamp(to, 0, 1);
  bench.redraw();
  bench.events.onSplit?.(bench.hand.split);
}
