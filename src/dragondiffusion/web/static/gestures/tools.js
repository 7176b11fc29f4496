// What a press, a pull and a tap mean with each tool, and what lies under a point.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("./gestures.js").Bench} Bench
 * @typedef {import("./gestures.js").Gesture} Gesture
 * @typedef {import("./gestures.js").Keys} Keys
 */
import { REACH, framing, standsBelow } from "../stage/framing.js";
import { about, apply, bearing, clampPoint, distance, distanceToSegment, handleAt, insideQuad, inverse, middle } from "../model/geometry.js";
import * as gestures from "./gestures.js";
import { arrowsOf, howOf, landmarksOf, placedThings, regionOf, subjectOf } from "../stage/scene.js";

/** @param {Bench} bench */
const reach = ({ hand }) => (hand.coarse ? REACH.coarse : REACH.fine);

/** The subject as the hand holds it. @param {Bench} bench */
export function heldSubject({ scene, hand }) {
  const subject = subjectOf(scene.doc);
  return subject && { ...subject, placing: hand.placing ?? subject.placing };
}

/** What of the subject is at a point. @param {Bench} bench @param {Point} at CSS pixels @returns {import("../model/geometry.js").HandleName | "inside" | null} */
export function partAt(bench, at) {
  const held = heldSubject(bench);
  if (!held) return null;
  const { quad, handles } = framing(bench.viewport, held, bench.hand.below);
  const handle = handleAt(at, handles, quad, reach(bench));
  return handle?.name ?? (insideQuad(at, quad) ? "inside" : null);
}

/** Where the handle to rotate stands is decided between gestures, so that it never jumps under the hand. @param {Bench} bench */
export function settleHandles(bench) {
  const held = heldSubject(bench);
  if (held) bench.hand.below = standsBelow(bench.viewport, held);
}

/** A gesture that starts with the press itself. @param {Bench} bench @param {Point} at @param {Keys} keys @returns {Gesture | null} */
export function pressed(bench, at, keys) {
  const { scene } = bench;
  if (scene.busy || scene.compare || !insidePicture(bench, at, 24)) return null;
  return scene.tool === "brush" || scene.tool === "eraser" || scene.tool === "lasso" ? gestures.painting(bench, at, keys) : null;
}

/** A gesture that starts once the pointer has gone some way from where it was pressed. @param {Bench} bench @param {Point} from @returns {Gesture | null} */
export function dragged(bench, from) {
  const { scene } = bench;
  if (scene.compare) return gestures.splitting(bench, from);
  if (scene.busy || scene.tool === "pan") return gestures.panning(bench, from);
  if (scene.tool === "select") return draggedSelect(bench, from);
  if (scene.tool === "drag") return draggedArrow(bench, from);
  if (scene.tool !== "landmarks") return null;
  const { to } = landmarksOf(scene.doc);
  const index = landmarkAt(bench, from);
  return index === null ? gestures.panning(bench, from) : gestures.pullingLandmark(bench, to, index, from);
}

/** @param {Bench} bench @param {Point} from */
function draggedSelect(bench, from) {
  const [subject, part] = [subjectOf(bench.scene.doc), partAt(bench, from)];
  if (!subject || part === null) {
    return insidePicture(bench, from, 24) ? gestures.boxing(bench, from) : gestures.panning(bench, from);
  }
  return gestures.placing(bench, subject, from, part === "inside" ? "move" : part === "rotate" ? "rotate" : "scale");
}

/** @param {Bench} bench @param {Point} from */
function draggedArrow(bench, from) {
  const arrows = arrowsOf(bench.scene.doc);
  const end = arrowEndAt(bench, from);
  if (end) return gestures.pullingArrow(bench, arrows, end.index, end.end, from);
  if (!insidePicture(bench, from, 0)) return gestures.panning(bench, from);
  return gestures.pullingArrow(bench, arrows, arrows.length, 1, from);
}

/** A press that was released where it began. @param {Bench} bench @param {Point} at @param {Keys} keys @param {boolean} twice */
export function tapped(bench, at, keys, twice) {
  const { scene } = bench;
  if (scene.busy || scene.compare || !scene.doc.picture) return;
  if (scene.tool === "select") tappedSelect(bench, at, keys);
  else if (scene.tool === "drag") tappedArrow(bench, at, twice);
  else if (scene.tool === "landmarks") tappedLandmark(bench, at, twice);
}

/** @param {Bench} bench @param {Point} at @param {Keys} keys */
function tappedSelect(bench, at, keys) {
  const { events, scene } = bench;
  if (!insidePicture(bench, at, 0)) return events.onChoose(null);
  const how = howOf(scene, keys);
  const edit = how === "new" ? editAt(bench, at) : null;
  if (edit !== null) return edit === scene.doc.chosen ? undefined : events.onChoose(edit);
  bench.hand.asked = bench.viewport.toPicture(at);
  bench.redraw();
  events.onPick(bench.hand.asked, how);
}

/** @param {Bench} bench @param {Point} at @param {boolean} twice */
function tappedArrow(bench, at, twice) {
  const index = arrowAt(bench, at);
  if (index === null) {
    const other = otherDragAt(bench, at);
    if (other !== null) return bench.events.onChoose(other);
    bench.hand.focus = null;
    bench.events.onHint("Press on the picture and pull an arrow to where that point should go.");
  } else if (twice) removeFocused(bench, index);
  else bench.hand.focus = index;
  bench.redraw();
}

/** @param {Bench} bench @param {Point} at @param {boolean} twice */
function tappedLandmark(bench, at, twice) {
  const index = landmarkAt(bench, at);
  const { to } = landmarksOf(bench.scene.doc);
  if (index !== null && twice) return removeFocused(bench, index);
  if (index === null && !insidePicture(bench, at, 0)) return;
  bench.hand.focus = index ?? to.length;
  if (index === null) bench.events.onLandmarks([...to, bench.viewport.toPicture(at)], true);
  bench.redraw();
}

/** Takes away an arrow or a landmark. Those that stay are the same arrays as before. @param {Bench} bench @param {number} index */
export function removeFocused(bench, index) {
  const { scene, hand, events } = bench;
  hand.focus = null;
  /** @param {unknown} _ @param {number} i */
  const others = (_, i) => i !== index;
  if (scene.tool === "drag") events.onArrows(arrowsOf(scene.doc).filter(others), true);
  else events.onLandmarks(landmarksOf(scene.doc).to.filter(others), true);
  bench.redraw();
}

/** @param {Bench} bench @param {Point} at CSS pixels @param {number} slack CSS pixels */
export function insidePicture({ viewport, scene }, at, slack) {
  if (!scene.doc.picture) return false;
  const point = viewport.toPicture(at);
  return distance(point, clampPoint(point, viewport.picture)) * viewport.zoom <= slack;
}

/** The edit whose thing or region is at a point, the latest first. @param {Bench} bench @param {Point} at @returns {number | null} */
export function editAt({ scene, viewport, shapes }, at) {
  const point = viewport.toPicture(at);
  for (const thing of placedThings(scene.doc).reverse()) {
    const home = apply(inverse(about(thing.mask.centroid, thing.placing)), point);
    if (thing.edit !== null && shapes.get(thing.mask, scene.masks)?.has(home)) return thing.edit;
  }
  for (const edit of [...scene.doc.edits].reverse()) {
    const region = edit.hidden ? null : regionOf(edit);
    if (region && shapes.get(region, scene.masks)?.has(point)) return edit.id;
  }
  return null;
}

/** @param {Bench} bench @param {Point} at @returns {{index: number, end: 0 | 1} | null} */
function arrowEndAt(bench, at) {
  /** @type {{index: number, end: 0 | 1, away: number}[]} */
  const ends = arrowsOf(bench.scene.doc).flatMap((arrow, index) =>
    /** @type {(0 | 1)[]} */ ([0, 1]).map((end) => ({ index, end, away: distance(at, bench.viewport.toScreen(arrow[end])) })),
  );
  return nearest(ends, reach(bench));
}

/** @param {Bench} bench @param {Point} at @returns {number | null} */
function arrowAt(bench, at) {
  const { viewport } = bench;
  const arrows = arrowsOf(bench.scene.doc).map(([p, q], index) => ({
    index,
    away: distanceToSegment(at, viewport.toScreen(p), viewport.toScreen(q)),
  }));
  return nearest(arrows, reach(bench))?.index ?? null;
}

/** A drag edit that is not chosen. @param {Bench} bench @param {Point} at @returns {number | null} */
function otherDragAt(bench, at) {
  const { scene, viewport } = bench;
  const others = scene.doc.edits.flatMap((edit) => (edit.kind === "drag" && !edit.hidden && edit.id !== scene.doc.chosen ? [edit] : []));
  const arrows = others.flatMap(({ id, points }) =>
    points.map(([p, q]) => ({ id, away: distanceToSegment(at, viewport.toScreen(p), viewport.toScreen(q)) })),
  );
  return nearest(arrows, reach(bench))?.id ?? null;
}

/** @param {Bench} bench @param {Point} at @returns {number | null} */
function landmarkAt(bench, at) {
  const points = landmarksOf(bench.scene.doc).to.map((point, index) => ({ index, away: distance(at, bench.viewport.toScreen(point)) }));
  return nearest(points, reach(bench))?.index ?? null;
}

/** @template {{away: number}} T @param {T[]} things @param {number} reach @returns {T | null} */
function nearest(things, reach) {
  const within = things.filter(({ away }) => away <= reach);
  return within.reduce((best, thing) => (best && best.away <= thing.away ? best : thing), /** @type {T | null} */ (null));
}

/** The cursor over a point. @param {Bench} bench @param {Point} at @returns {string} */
export function cursorAt(bench, at) {
  const { scene } = bench;
  if (!scene.doc.picture) return "default";
  if (scene.compare) return "ew-resize";
  if (scene.busy || scene.tool === "pan") return "grab";
  if (scene.tool === "brush" || scene.tool === "eraser") return "none";
  if (scene.tool === "drag") return arrowEndAt(bench, at) ? "move" : "crosshair";
  if (scene.tool === "landmarks") return landmarkAt(bench, at) === null ? "copy" : "move";
  const part = scene.tool === "select" ? partAt(bench, at) : null;
  if (part === "inside") return "move";
  if (part === "rotate") return "grab";
  if (part) return resizeCursor(bench, part);
  return scene.tool === "select" && editAt(bench, at) !== null ? "pointer" : "crosshair";
}

/** The two-headed arrow that points as a corner does. @param {Bench} bench @param {string} part */
function resizeCursor(bench, part) {
  const held = heldSubject(bench);
  if (!held) return "default";
  const { quad, handles } = framing(bench.viewport, held, bench.hand.below);
  const handle = handles.find(({ name }) => name === part);
  const direction = handle ? bearing(middle(quad[0], quad[2]), handle.at) : 0;
  const eighth = ((Math.round(direction / 45) % 4) + 4) % 4;
  return ["ew-resize", "nesw-resize", "ns-resize", "nwse-resize"][eighth];
}
