// Actions: the changes of the document by gestures on the stage and by buttons.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Job} Job
 * @typedef {import("../model/types.js").Picture} Picture
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Selection} Selection
 * @typedef {import("../model/types.js").StageEvents} StageEvents
 */

import * as document from "../model/document.js";
import * as edits from "../model/edits.js";
import { activeEdits } from "../model/inspection.js";
import { jobOf, shownJob } from "../model/state.js";
import { afterStroke } from "../net/painting_back.js";
import { goOn } from "../net/running.js";
import { boxed, clicked, glanced, repainted, snapped, subjectIn } from "../net/selecting.js";

/** Events of the stage, wired to the document.
 * @param {App} app
 * @returns {StageEvents} */
export function stageEvents(app) {
  const { store } = app;
  return {
    onPick: (at, how) => void pick(app, (picture, old) => clicked(app, picture, old, at, how), how === "new"),
    onBox: (box) => void pick(app, (picture) => boxed(app, picture, box), true),
    onPaint: (mask, how) => {
      if (store.state.tool === "original") return void paintBack(app, mask, how);
      void pick(app, (picture, old) => paint(app, picture, old, mask, how), false);
    },
    onPlace: (placing, final) => gesture(app, edits.place(workable(app), rounded(placing)), "place", final),
    onArrows: (pairs, final) => isWhole(app) && gesture(app, edits.setArrows(workable(app), pairs.map(([from, to]) => [near(from), near(to)])), "arrows", final),
    onLandmarks: (points, final) => isWhole(app) && gesture(app, edits.setLandmarks(workable(app), points), "landmarks", final),
    onChoose: (id) => store.push(id === null ? document.clear(store.doc) : document.choose(store.doc, id)),
    onHint: (text) => store.say(text),
    onTell: (text) => tell(app, text),
    onGlance: (at) => glanced(app, store.state.shown === null ? store.doc.picture : null, at),
  };
}

/** Whether what is looked at can be worked on at once: what was painted back is made part of it first.
 * @param {App} app
 * @returns {boolean} */
function isWhole({ store, stage }) {
  if (store.doc.backs[store.state.shown ?? ""] === undefined) return true;
  stage?.cancelGesture();
  store.call("Press “Continue from here” first: the original was painted back into this result.");
  return false;
}

/** Says something to those who hear the page.
 * @param {App} app
 * @param {string} text */
function tell({ root }, text) {
  const region = root.querySelector('[data-dd="spoken"]');
  if (region !== null) region.textContent = text;
}

/** A change by a gesture; one that is back where it began never was.
 * @param {App} app
 * @param {Doc} doc
 * @param {string} name
 * @param {boolean} final */
function gesture(app, doc, name, final) {
  const { store } = app;
  const { past, gesture: running } = store.state.history;
  const before = past[past.length - 1];
  const isBack = running === name && before !== undefined && sameWork(before, doc);
  if (isBack) store.callOff();
  else store.during(doc, name, final);
  clearTimeout(resting);
  if (!final) resting = setTimeout(() => rest(app), REST);
}

/** Milliseconds after which a gesture by keys is over, which has no release. */
const REST = 900;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let resting;

/** @param {App} app */
function rest(app) {
  if (app.stage?.pointers.active) resting = setTimeout(() => rest(app), REST);
  else app.store.settle();
}

/** Whether the edits of two documents do the same.
 * @param {Doc} a
 * @param {Doc} b
 * @returns {boolean} */
function sameWork(a, b) {
  return JSON.stringify(activeEdits(a)) === JSON.stringify(activeEdits(b));
}

/** The answer to the last click or stroke: the next one builds on it, however slow the server is. @type {Promise<unknown>} */
let last = Promise.resolve();

/** Does something once what was asked for before is answered.
 * @param {() => Promise<void>} act
 * @returns {Promise<void>} */
function inTurn(act) {
  const turn = last.then(act);
  last = turn.catch(() => undefined);
  return turn;
}

/** Asks for a selection and puts it into the document. A result that is looked at becomes the image first.
 * @param {App} app
 * @param {(picture: Picture, old: Selection | null) => Promise<Selection | null>} ask
 * @param {boolean} isNew  another object, not a correction of the one that is worked on */
function pick(app, ask, isNew) {
  return inTurn(() => pickNow(app, ask, isNew));
}

/** @param {App} app
 * @param {(picture: Picture, old: Selection | null) => Promise<Selection | null>} ask
 * @param {boolean} isNew */
async function pickNow(app, ask, isNew) {
  const { store } = app;
  await finalResult(app);
  const before = workable(app);
  if (before.picture === null) return;
  const [picture, old] = [before.picture, document.workedOn(before)];
  const selection = await store.wait(() => ask(picture, old));
  if (selection === null) app.stage?.cancelGesture();
  if (selection === null || store.doc.picture?.name !== picture.name) return;
  store.push(isNew ? document.select(store.doc, selection) : document.correct(store.doc, selection));
}

/** Selects what the image shows above all.
 * @param {App} app */
export function selectSubject(app) {
  if (app.store.doc.picture === null) return app.store.call("Open an image first.");
  void pick(app, (picture) => subjectIn(app, picture), true);
}

/** A smaller or a larger thing at the same place is selected.
 * @param {App} app
 * @param {-1 | 1} step */
export function resizeSelection({ store }, step) {
  const selection = document.workedOn(store.doc);
  if (selection === null) return store.call("Select an object first.");
  const other = document.beside(selection, step);
  if (other !== null) return store.push(document.correct(store.doc, other));
  store.call(`Nothing ${step < 0 ? "smaller" : "larger"} was found there; ${step < 0 ? "take away with Alt and a click" : "add with Shift and a click"}, or paint.`);
}

/** One more stroke of the brush that paints the original back.
 * @param {App} app
 * @param {HTMLCanvasElement} painted
 * @param {"add" | "remove"} how
 * @returns {Promise<void>} */
function paintBack(app, painted, how) {
  const { store, stage } = app;
  const id = store.state.shown;
  return inTurn(async () => {
    const job = jobOf(store.state, id);
    if (job === undefined) return;
    const old = store.doc.backs[job.id] ?? null;
    const mask = await store.wait(async () => ({ now: await afterStroke(app, job, old, painted, how) }));
    const isSame = mask === null || (mask.now?.name ?? null) === (old?.name ?? null);
    if (isSame || store.state.shown !== id) return void stage?.cancelGesture();
    store.paintBack(job.id, mask.now);
  });
}

/** Takes the brush that paints the original back, or puts it away.
 * @param {App} app */
export function takeOriginal({ store }) {
  if (store.state.shown === null) store.call("There is no result to paint the original back into; press Edit, or open one below.");
  else store.set({ tool: store.state.tool === "original" ? "select" : "original" });
}

/** A result that is looked at, and into which the original was painted back, becomes the image.
 * @param {App} app */
async function finalResult(app) {
  const job = shownJob(app.store.state);
  if (job !== undefined && app.store.doc.backs[job.id] !== undefined) await goOn(app, job);
}

/** The document; of a result that is looked at, one that goes on from it.
 * @param {App} app
 * @returns {Doc} */
function workable({ store }) {
  const job = shownJob(store.state);
  if (job?.result != null) store.push(document.continueFrom(store.doc, job.result));
  return store.doc;
}

/** @param {App} app
 * @param {Picture} picture
 * @param {Selection | null} old
 * @param {HTMLCanvasElement} mask
 * @param {"add" | "remove"} how
 * @returns {Promise<Selection | null>} */
async function paint(app, picture, old, mask, how) {
  const { tool, snaps, session } = app.store.state;
  if (tool === "lasso" && snaps && session?.masks) return snapped(app, picture, old, mask, how);
  const view = old === null ? null : await app.views.load(old.mask.name);
  return repainted(app.client, picture, old, view, mask, how);
}

/** Landmarks of the image's face, or those that are set by interaction, are worked on.
 * @param {App} app */
export async function beginLandmarks(app) {
  const { store } = app;
  const existing = store.doc.edits.find((edit) => edit.kind === "landmarks");
  if (existing !== undefined) return store.push(document.choose(store.doc, existing.id));
  const picture = workable(app).picture;
  if (picture === null) return store.say("Open an image first.");
  store.push(document.clear(store.doc));
  const own = picture.landmarks ?? [];
  const points = own.length > 0 ? own : await foundLandmarks(app, picture);
  if (store.doc.picture?.name !== picture.name || store.state.tool !== "landmarks") return;
  if (points !== null) store.push(edits.setLandmarks(store.doc, points));
}

/** @param {App} app
 * @param {Picture} picture
 * @returns {Promise<Point[] | null>} */
async function foundLandmarks({ store, client }, picture) {
  return store.state.session?.faces ? store.wait(() => client.landmarks(picture.name)) : null;
}

/** Arrows that are there already are worked on.
 * @param {App} app */
export function beginArrows({ store }) {
  const existing = store.doc.edits.find((edit) => edit.kind === "drag" && !edit.hidden);
  if (existing !== undefined) store.push(document.choose(store.doc, existing.id));
}

/** Erases what is selected; deletes the edit that is chosen.
 * @param {App} app */
export function erase({ store }) {
  if (store.doc.selection !== null) store.push(edits.eraseSelection(store.doc));
  else if (store.doc.chosen !== null) store.push(document.deleteEdit(store.doc, store.doc.chosen));
  else store.call("Select an object first.");
}

/** @param {Placing} placing
 * @returns {Placing} */
export function rounded({ offset, scale, angle, flip }) {
  return { offset: near(offset), scale: [to(scale[0], 1000), to(scale[1], 1000)], angle: to(angle, 10), flip };
}

/** @param {Point} point
 * @returns {Point} */
function near([x, y]) {
  return [to(x, 10), to(y, 10)];
}

/** @param {number} value
 * @param {number} parts
 * @returns {number} */
function to(value, parts) {
  return Math.round(value * parts) / parts || 0;
}
