// The scene of the page's state: the document with its preview or live frames, or a result that is looked at once it
// can be seen.

/**
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Job} Job
 * @typedef {import("../model/types.js").Picture} Picture
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("../net/views.js").Views} Views
 */

import { continueFrom } from "../model/document.js";
import { namesOf } from "../model/inspection.js";
import { jobOf, shownJob } from "../model/state.js";
import { seenResult } from "./painted_back.js";

/** @param {State} state
 * @param {Views} views
 * @returns {Scene} */
export function sceneOf(state, views) {
  const job = shownJob(state);
  const isSeen = job?.result != null && views.get(job.result.name) !== null;
  return isSeen && job?.result ? sceneOfResult(state, views, job.result, job) : sceneOfDoc(state, views);
}

/** @param {State} state
 * @param {Views} views
 * @returns {Scene} */
function sceneOfDoc(state, views) {
  const doc = state.history.present;
  const { live } = state;
  const isLive = live !== null && live.doc.edits === doc.edits && live.doc.picture === doc.picture;
  return {
    ...common(state, doc),
    images: views.several(namesOf(doc).images),
    masks: views.several(namesOf(doc).masks),
    preview: state.preview,
    live: isLive ? live : null,
    compare: null,
  };
}

/** A result as if it were the image, or beside what was before.
 * @param {State} state
 * @param {Views} views
 * @param {Picture} result
 * @param {Job} job
 * @returns {Scene} */
function sceneOfResult(state, views, result, job) {
  const doc = continueFrom(state.history.present, result);
  const after = seenResult(views, state.history.present, job) ?? views.get(result.name);
  const images = /** @type {Map<string, CanvasImageSource>} */ (new Map(after === null ? [] : [[result.name, after]]));
  /** @type {Scene} */
  const scene = { ...common(state, doc), images, masks: new Map(), preview: null, live: null, compare: null };
  const [original, plain] = [views.get(job.recipe.image), views.get(result.name)];
  if (state.tool === "original") return { ...scene, papers: original === null || plain === null ? null : { original, result: plain } };
  if (!state.compares || after === null) return scene;
  const rival = jobOf(state, state.rival);
  const before = rival?.result == null ? original : seenResult(views, state.history.present, rival);
  if (before === null) return scene;
  return { ...scene, images: new Map([[result.name, before]]), compare: { image: after, split: state.split } };
}

/** @param {State} state
 * @param {Doc} doc */
function common(state, doc) {
  const side = Math.max(doc.picture?.width ?? 0, doc.picture?.height ?? 0);
  return { doc, tool: state.tool, brush: (state.brush / 100) * side, softness: state.softness / 100, how: state.how, busy: false };
}
