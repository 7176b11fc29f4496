// The meaning of a press, a pull and a tap with each tool, and the parts under a point.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("./gestures.js").StageContext} StageContext
 * @typedef {import("./gestures.js").Gesture} Gesture
 * @typedef {import("./gestures.js").Keys} Keys
 */
import { REACH, framing, sideOfKnob } from "../stage/framing.js";
import { about, apply, bearing, clampPoint, distance, distanceToSegment, handleAt, insideQuad, inverse, middle } from "../model/geometry.js";
import * as gestures from "./gestures.js";
import { placing } from "./placing.js";
import { arrowsOf, howOf, landmarksOf, paints, placedThings, regionOf, subjectOf } from "../stage/scene.js";

/** @param {StageContext} stage */
const reach = ({ interaction }) => (interaction.coarse ? REACH.coarse : REACH.fine);

/** The subject with the placing of a gesture in progress. @param {StageContext} stage */
export function currentSubject({ scene, interaction }) {
  const subject = subjectOf(scene.doc);
  return subject && { ...subject, placing: interaction.placing ?? subject.placing };
}

/** The part of the subject at a point. @param {StageContext} stage @param {Point} at CSS pixels @returns {import("../model/geometry.js").HandleName | "inside" | null} */
export function partAt(stage, at) {
  const held = currentSubject(stage);
  if (!held || stage.scene.still) return null;
  const { quad, handles } = framing(stage.viewport, held, stage.interaction.knob);
  const handle = handleAt(at, handles, quad, reach(stage));
  return handle?.name ?? (insideQuad(at, quad) ? "inside" : null);
}

/** Where the handle to rotate stands is decided between gestures, so that it never jumps under the pointer. @param {StageContext} stage */
export function settleHandles(stage) {
  const held = currentSubject(stage);
  if (held) stage.interaction.knob = sideOfKnob(stage.viewport, held);
}

/** A gesture that starts with the press itself. @param {StageContext} stage @param {Point} at @param {Keys} keys @returns {Gesture | null} */
export function pressed(stage, at, keys) {
  const { scene } = stage;
  if (scene.busy || scene.compare || !insidePicture(stage, at, 24)) return null;
  return paints(scene.tool) || scene.tool === "lasso" ? gestures.painting(stage, at, keys) : null;
}

/** A gesture that starts once the pointer has gone some way from where it was pressed. @param {StageContext} stage @param {Point} from @returns {Gesture | null} */
export function dragged(stage, from) {
  const { scene } = stage;
  if (scene.compare) return gestures.splitting(stage, from);
  if (scene.busy || scene.tool === "pan") return gestures.panning(stage, from);
  if (scene.tool === "select") return draggedSelect(stage, from);
  if (scene.tool === "drag") return draggedArrow(stage, from);
  if (scene.tool !== "landmarks") return null;
  const { to } = landmarksOf(scene.doc);
  const index = landmarkAt(stage, from);
  return index === null ? gestures.panning(stage, from) : gestures.pullingLandmark(stage, to, index, from);
}

/** @param {StageContext} stage @param {Point} from */
function draggedSelect(stage, from) {
  const [subject, part] = [subjectOf(stage.scene.doc), partAt(stage, from)];
  if (!subject || part === null) {
    return insidePicture(stage, from, 24) ? gestures.boxing(stage, from) : gestures.panning(stage, from);
  }
  return placing(stage, subject, from, part);
}

/** @param {StageContext} stage @param {Point} from */
function draggedArrow(stage, from) {
  const arrows = arrowsOf(stage.scene.doc);
  const end = arrowEndAt(stage, from);
  if (end) return gestures.pullingArrow(stage, arrows, end.index, end.end, from);
  if (!insidePicture(stage, from, 0)) return gestures.panning(stage, from);
  return gestures.pullingArrow(stage, arrows, arrows.length, 1, from);
}

/** A press that was released where it began. @param {StageContext} stage @param {Point} at @param {Keys} keys @param {boolean} twice */
export function tapped(stage, at, keys, twice) {
  const { scene } = stage;
  if (scene.busy || scene.compare || !scene.doc.picture) return;
  if (scene.tool === "select") tappedSelect(stage, at, keys);
  else if (scene.tool === "drag") tappedArrow(stage, at, twice);
  else if (scene.tool === "landmarks") tappedLandmark(stage, at, twice);
}

/** @param {StageContext} stage @param {Point} at @param {Keys} keys */
function tappedSelect(stage, at, keys) {
  const { events, scene } = stage;
  if (!insidePicture(stage, at, 0)) return events.onChoose(null);
  const how = howOf(scene, keys);
  const edit = how === "new" ? editAt(stage, at) : null;
  if (edit !== null) return edit === scene.doc.chosen ? undefined : events.onChoose(edit);
  stage.interaction.asked = stage.viewport.toPicture(at);
  stage.redraw();
  events.onPick(stage.interaction.asked, how);
}

/** @param {StageContext} stage @param {Point} at @param {boolean} twice */
function tappedArrow(stage, at, twice) {
  const index = arrowAt(stage, at);
  if (index === null) {
    const other = otherDragAt(stage, at);
    if (other !== null) return stage.events.onChoose(other);
    stage.interaction.focus = null;
    stage.events.onHint("Press on the image and pull an arrow to where that point should go.");
  } else if (twice) removeFocused(stage, index);
  else stage.interaction.focus = index;
  stage.redraw();
}

/** @param {StageContext} stage @param {Point} at @param {boolean} twice */
function tappedLandmark(stage, at, twice) {
  const index = landmarkAt(stage, at);
  const { to } = landmarksOf(stage.scene.doc);
  if (index !== null && twice) return removeFocused(stage, index);
  if (index === null && !insidePicture(stage, at, 0)) return;
  stage.interaction.focus = index ?? to.length;
  if (index === null) stage.events.onLandmarks([...to, stage.viewport.toPicture(at)], true);
  stage.redraw();
}

/** Takes away an arrow or a landmark. Those that stay are the same arrays as before. @param {StageContext} stage @param {number} index */
export function removeFocused(stage, index) {
  const { scene, interaction, events } = stage;
  interaction.focus = null;
  /** @param {unknown} _ @param {number} i */
  const others = (_, i) => i !== index;
  if (scene.tool === "drag") events.onArrows(arrowsOf(scene.doc).filter(others), true);
  else events.onLandmarks(landmarksOf(scene.doc).to.filter(others), true);
  stage.redraw();
}

/** @param {StageContext} stage @param {Point} at CSS pixels @param {number} slack CSS pixels */
export function insidePicture({ viewport, scene }, at, slack) {
  if (!scene.doc.picture) return false;
  const point = viewport.toPicture(at);
  return distance(point, clampPoint(point, viewport.picture)) * viewport.zoom <= slack;
}

/** The edit whose object or region is at a point, the latest first. @param {StageContext} stage @param {Point} at @returns {number | null} */
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

/** @param {StageContext} stage @param {Point} at @returns {{index: number, end: 0 | 1} | null} */
function arrowEndAt(stage, at) {
  /** @type {{index: number, end: 0 | 1, away: number}[]} */
  const ends = arrowsOf(stage.scene.doc).flatMap((arrow, index) =>
    /** @type {(0 | 1)[]} */ ([0, 1]).map((end) => ({ index, end, away: distance(at, stage.viewport.toScreen(arrow[end])) })),
  );
  return nearest(ends, reach(stage));
}

/** @param {StageContext} stage @param {Point} at @returns {number | null} */
function arrowAt(stage, at) {
  const { viewport } = stage;
  const arrows = arrowsOf(stage.scene.doc).map(([p, q], index) => ({
    index,
    away: distanceToSegment(at, viewport.toScreen(p), viewport.toScreen(q)),
  }));
  return nearest(arrows, reach(stage))?.index ?? null;
}

/** A drag edit that is not chosen. @param {StageContext} stage @param {Point} at @returns {number | null} */
function otherDragAt(stage, at) {
  const { scene, viewport } = stage;
  const others = scene.doc.edits.flatMap((edit) => (edit.kind === "drag" && !edit.hidden && edit.id !== scene.doc.chosen ? [edit] : []));
  const arrows = others.flatMap(({ id, points }) =>
    points.map(([p, q]) => ({ id, away: distanceToSegment(at, viewport.toScreen(p), viewport.toScreen(q)) })),
  );
  return nearest(arrows, reach(stage))?.id ?? null;
}

/** @param {StageContext} stage @param {Point} at @returns {number | null} */
function landmarkAt(stage, at) {
  const points = landmarksOf(stage.scene.doc).to.map((point, index) => ({ index, away: distance(at, stage.viewport.toScreen(point)) }));
  return nearest(points, reach(stage))?.index ?? null;
}

/** @template {{away: number}} T @param {T[]} things @param {number} reach @returns {T | null} */
function nearest(things, reach) {
  const within = things.filter(({ away }) => away <= reach);
  return within.reduce((best, thing) => (best && best.away <= thing.away ? best : thing), /** @type {T | null} */ (null));
}

/** The cursor over a point. @param {StageContext} stage @param {Point} at @returns {string} */
export function cursorAt(stage, at) {
  const { scene } = stage;
  if (!scene.doc.picture) return "default";
  if (scene.compare) return "ew-resize";
  if (scene.busy || scene.tool === "pan") return "grab";
  if (paints(scene.tool)) return "none";
  if (scene.tool === "drag") return arrowEndAt(stage, at) ? "move" : "crosshair";
  if (scene.tool === "landmarks") return landmarkAt(stage, at) === null ? "copy" : "move";
  const part = scene.tool === "select" ? partAt(stage, at) : null;
  if (part === "inside") return "move";
  if (part === "rotate") return "grab";
  if (part) return resizeCursor(stage, part);
  return scene.tool === "select" && editAt(stage, at) !== null ? "pointer" : "crosshair";
}

/** The two-headed arrow that points as a corner does. @param {StageContext} stage @param {string} part */
function resizeCursor(stage, part) {
  const held = currentSubject(stage);
  if (!held) return "default";
  const { quad, handles } = framing(stage.viewport, held, stage.interaction.knob);
  const handle = handles.find(({ name }) => name === part);
  const direction = handle ? bearing(middle(quad[0], quad[2]), handle.at) : 0;
  const eighth = ((Math.round(direction / 45) % 4) + 4) % 4;
  return ["ew-resize", "nesw-resize", "ns-resize", "nwse-resize"][eighth];
}
