// Gestures, from press to release: each follows the pointer, then reports to the page or is cancelled.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("../stage/scene.js").Scene} Scene
 * @typedef {import("../stage/scene.js").Subject} Subject
 *
 * @typedef {import("../model/types.js").StageEvents & {onSplit?: (split: number) => void}} Events  onSplit: the line between before and
 *   after was moved to this share of the width
 *
 * @typedef {object} StageContext  What gestures work on.
 * @property {Scene} scene
 * @property {import("../stage/viewport.js").Viewport} viewport
 * @property {import("./interaction.js").Interaction} interaction
 * @property {import("../stage/shapes.js").Shapes} shapes
 * @property {Events} events
 * @property {import("../stage/primitives.js").Theme} theme
 * @property {(ground?: boolean) => void} redraw  soon; `ground`: also the layer below what moves
 *
 * @typedef {{shiftKey: boolean, altKey: boolean}} Keys
 *
 * @typedef {object} Gesture
 * @property {(at: Point, keys: Keys) => void} move  CSS pixels
 * @property {() => void} end
 * @property {() => void} cancel
 * @property {Subject} [subject]  what it puts elsewhere, as it was before
 */
import { boxBetween, clamp, clampPoint, distance, middle, minus } from "../model/geometry.js";
import { Painting } from "./painting.js";
import { howOf, sizeOf } from "../stage/scene.js";

/** Arrows and boxes shorter than this are accidental, CSS pixels. */
const SHORTEST = 5;

/** @param {StageContext} stage @param {Point} from @returns {Gesture} */
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

/** Two fingers on the view. @param {StageContext} stage @param {[Point, Point]} fingers CSS pixels */
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

/** Draws a box around an object. @param {StageContext} stage @param {Point} from @returns {Gesture} */
export function boxing(stage, from) {
  const { interaction, viewport } = stage;
  const start = viewport.toPicture(from);
  return {
    move(at) {
      interaction.box = boxBetween(start, viewport.toPicture(at), viewport.picture);
      stage.redraw();
    },
    end() {
      const box = interaction.box;
      this.cancel();
      if (box && Math.min(box[2] - box[0], box[3] - box[1]) * viewport.zoom >= SHORTEST) stage.events.onBox(box);
    },
    cancel() {
      interaction.box = null;
      stage.redraw();
    },
  };
}

/** Paints with brush, eraser or lasso. @param {StageContext} stage @param {Point} from @param {Keys} keys @returns {Gesture | null} */
export function painting(stage, from, keys) {
  const { interaction, viewport, scene, theme } = stage;
  const image = scene.doc.picture && scene.images.get(scene.doc.picture.name);
  if (!image) return null;
  const kind = scene.tool === "lasso" ? "lasso" : "stroke";
  const removes = scene.tool === "eraser" || howOf(scene, keys) === "remove";
  const colour = removes ? theme.danger : theme.accent;
  const work = new Painting(kind, viewport.picture, sizeOf(image), scene.brush, colour, undefined, scene.softness);
  if (scene.tool === "original") work.paper = scene.papers?.[removes ? "result" : "original"] ?? null;
  interaction.painting = work;
  /** @param {Point} at */
  const go = (at) => {
    work.to(viewport.toPicture(at));
    stage.redraw();
  };
  go(from);
  return {
    move: go,
    end() {
      if (work.isEmpty) return this.cancel();
      work.close(); // it stays on show until the page knows the mask
      stage.redraw();
      stage.events.onPaint(work.mask(), removes ? "remove" : "add");
    },
    cancel() {
      interaction.painting = null;
      stage.redraw();
    },
  };
}

/**
 * Pulls an end of an arrow.
 * @param {StageContext} stage
 * @param {[Point, Point][]} arrows as they are
 * @param {number} index which; one that is not there begins at `from`
 * @param {0 | 1} end tail or tip
 * @param {Point} from CSS pixels
 * @returns {Gesture}
 */
export function pullingArrow(stage, arrows, index, end, from) {
  const { interaction, viewport } = stage;
  const start = clampPoint(viewport.toPicture(from), viewport.picture);
  /** @type {[Point, Point]} */
  const arrow = arrows[index] ?? [start, start];
  const grip = minus(viewport.toScreen(arrow[end]), from);
  interaction.focus = index;
  return {
    move(at) {
      const to = clampPoint(viewport.toPicture([at[0] + grip[0], at[1] + grip[1]]), viewport.picture);
      const changed = /** @type {[Point, Point]} */ (end ? [arrow[0], to] : [to, arrow[1]]);
      interaction.arrows = arrows.slice();
      interaction.arrows[index] = changed;
      interaction.finger = interaction.coarse ? to : null;
      stage.redraw();
      stage.events.onArrows(interaction.arrows, false);
    },
    end() {
      const pulled = interaction.arrows?.[index];
      if (!interaction.arrows || !pulled || distance(...pulled) * viewport.zoom < SHORTEST) return this.cancel();
      interaction.finger = null;
      stage.redraw();
      stage.events.onArrows(interaction.arrows, true);
    },
    cancel() {
      interaction.arrows = interaction.finger = null;
      if (index >= arrows.length) interaction.focus = null;
      stage.redraw();
      stage.events.onArrows(arrows, false);
    },
  };
}

/** Drags a landmark. @param {StageContext} stage @param {Point[]} points as they are @param {number} index @param {Point} from @returns {Gesture} */
export function pullingLandmark(stage, points, index, from) {
  const { interaction, viewport } = stage;
  const grip = minus(viewport.toScreen(points[index]), from);
  interaction.focus = index;
  return {
    move(at) {
      const to = clampPoint(viewport.toPicture([at[0] + grip[0], at[1] + grip[1]]), viewport.picture);
      interaction.landmarks = points.slice();
      interaction.landmarks[index] = to;
      interaction.finger = interaction.coarse ? to : null;
      stage.redraw();
      stage.events.onLandmarks(interaction.landmarks, false);
    },
    end() {
      interaction.finger = null;
      stage.redraw();
      if (interaction.landmarks) stage.events.onLandmarks(interaction.landmarks, true);
    },
    cancel() {
      interaction.landmarks = interaction.finger = null;
      stage.redraw();
      stage.events.onLandmarks(points, false);
    },
  };
}

/** Moves the line between before and after. @param {StageContext} stage @param {Point} from @returns {Gesture} */
export function splitting(stage, from) {
  const { viewport } = stage;
  const begun = splitOf(stage);
  return {
    move(at) {
      split(stage, begun + (at[0] - from[0]) / (viewport.zoom * viewport.picture.width));
    },
    end() {},
    cancel() {
      split(stage, begun);
    },
  };
}

/** Where the line between before and after is. @param {StageContext} stage */
export function splitOf({ interaction, scene }) {
  return interaction.split ?? scene.compare?.split ?? 0.5;
}

/** @param {StageContext} stage @param {number} to share of the width */
export function split(stage, to) {
  stage.interaction.split = clamp(to, 0, 1);
  stage.redraw();
  stage.events.onSplit?.(stage.interaction.split);
}
