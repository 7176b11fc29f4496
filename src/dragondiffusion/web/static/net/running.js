// Jobs: submitting, following and cancelling them, and showing their results.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Job} Job
 */

import { isFinished } from "./client.js";
import { triesOf } from "../model/choices.js";
import { continueFrom, newSeed, setChoices } from "../model/document.js";
import { changed } from "../model/history.js";
import { problems } from "../model/problems.js";
import { fromRecipe, toRecipe } from "../model/recipe.js";
import { finalPicture } from "./painting_back.js";
import { whole } from "./previewing.js";
import { jobOf, sentences, words } from "../model/state.js";

/** Runs the document's edits; with another seed if they were run with this one already.
 * @param {App} app */
export async function run(app) {
  const { store, client } = app;
  const [problem] = problems(store.doc);
  if (problem !== undefined) return store.call(problem);
  const isAgain = wasMade(app, question(store.doc));
  if (isAgain) store.amend(setChoices(store.doc, { seed: newSeed() }));
  const doc = store.doc;
  const job = await store.wait(() => client.submit(toRecipe(doc), triesOf(doc.choices)));
  if (job === null) return;
  put(app, job);
  if (isWaitedFor(app, doc)) store.set({ watched: job.id, looked: null });
  if (isAgain) store.say("Once more, with another seed.");
  await follow(app, job.id, doc);
}

/** @param {Doc} doc
 * @returns {string} */
function question(doc) {
  return JSON.stringify([toRecipe(doc), triesOf(doc.choices)]);
}

/** Whether there is, or will be, a result of this.
 * @param {App} app
 * @param {string} asked
 * @returns {boolean} */
function wasMade({ store }, asked) {
  return store.state.jobs.some((job) => JSON.stringify([job.recipe, job.tries]) === asked && (job.state === "done" || !isFinished(job)));
}

/** Streams that are open at once; browsers keep few connections to a server, and the rest needs some too. */
const STREAMS = 2;

/** @type {Promise<unknown>[]} ends of the last jobs that are followed */
const followed = Array.from({ length: STREAMS }, () => Promise.resolve());

/** Updates the page about a job until it ends, once those before it have. Its result is shown unless the person went on meanwhile.
 * @param {App} app
 * @param {string} id
 * @param {Doc | null} doc  the document it was submitted with
 * @returns {Promise<void>} */
export function follow(app, id, doc) {
  const end = /** @type {Promise<unknown>} */ (followed.shift()).then(() => followNow(app, id, doc));
  followed.push(end);
  return end;
}

/** @param {App} app
 * @param {string} id
 * @param {Doc | null} doc */
async function followNow(app, id, doc) {
  const { store } = app;
  if (!store.state.jobs.some((job) => job.id === id)) return; // deleted while it waited
  let frames = 0;
  try {
    await app.client.follow(id, async (job) => {
      if (job.result !== null) await app.views.load(job.result.name).catch(() => undefined); // until it can be seen, it is not there
      put(app, job);
      if (doc !== null && job.frames > frames && !isFinished(job)) void frame(app, job, doc);
      frames = job.frames;
    });
  } catch (error) {
    store.set({ error: words(error) });
  }
  ended(app, id, doc);
}

/** @param {App} app
 * @param {string} id
 * @param {Doc | null} doc */
function ended(app, id, doc) {
  const { store } = app;
  const { watched } = store.state;
  store.set({ live: null, watched: watched === id ? null : watched });
  const job = jobOf(store.state, id);
  if (job === undefined) return;
  if (job.state === "failed" || job.state === "interrupted") {
    store.set({ error: words(job.error ?? "Press Edit to make it again.") });
    store.say(job.state === "failed" ? "The edit failed." : "The edit was interrupted.");
  }
  if (job.state === "cancelled") store.say("Cancelled.");
  if (job.state !== "done") return;
  if (doc !== null && isWaitedFor(app, doc)) store.arrive(id);
  else store.say(sentences("A result is ready", job.report?.words ?? "", ...job.notes));
}

/** Whether the person has not gone on since a document was submitted.
 * @param {App} app
 * @param {Doc} doc */
function isWaitedFor({ store }, doc) {
  return doc.edits === store.doc.edits && doc.picture === store.doc.picture;
}

/** @param {App} app
 * @param {Job} job
 * @param {Doc} doc  the document it was submitted with */
async function frame(app, job, doc) {
  const { store } = app;
  const part = await app.client.frame(job.id).catch(() => null);
  if (part === null) return;
  const image = await createImageBitmap(part.image);
  const isRunning = store.state.jobs.some((each) => each.id === job.id && !isFinished(each));
  if (isRunning) store.set({ live: { image, box: part.box ?? whole(doc), doc } });
}

/** Takes over what is known of a job; one that was deleted stays so.
 * @param {App} app
 * @param {Job} job */
export function put({ store }, job) {
  const known = store.state.jobs.some((each) => each.id === job.id);
  const jobs = known ? store.state.jobs.map((each) => (each.id === job.id ? job : each)) : [...store.state.jobs, job];
  store.set({ jobs });
}

/** @param {App} app
 * @param {string} id */
export async function cancel(app, id) {
  const job = await app.store.wait(() => app.client.cancel(id));
  if (job !== null) put(app, job);
}

/** Looks at a result, or at the document again.
 * @param {App} app
 * @param {string | null} id */
export function show({ store }, id) {
  store.look(id);
}

/** Puts what is looked at beside what was before, or beside another result.
 * @param {App} app
 * @param {string | null} rival */
export function compareWith({ store }, rival) {
  const isOff = store.state.compares && store.state.rival === rival;
  const tool = store.state.tool === "original" ? "select" : store.state.tool;
  store.set({ tool, compares: !isOff, rival: isOff ? null : rival, split: 0.5 });
}

/** The result becomes the image.
 * @param {App} app
 * @param {Job} job */
export async function goOn(app, job) {
  const { store } = app;
  if (job.result === null) return;
  const picture = await store.wait(() => finalPicture(app, job));
  if (picture === null) return;
  store.push(continueFrom(store.doc, picture));
  store.say("The result is the image now. Undo brings the last one back.");
}

/** The edits that made a result come back.
 * @param {App} app
 * @param {Job} job */
export async function bringBack(app, job) {
  const { store } = app;
  const doc = await store.wait(async () => {
    const { recipe, pictures, masks } = await app.client.restore(await app.client.result(job.id));
    return fromRecipe({ ...recipe, seed: job.seed }, { pictures, masks }, store.doc.choices, store.state.kinds);
  });
  if (doc !== null) store.adopt(doc);
}

/** @param {App} app
 * @param {string} id */
export async function forget(app, id) {
  const { store } = app;
  const gone = await store.wait(() => app.client.forget(id).then(() => true));
  if (gone !== null) drop(app, [id]);
}

/** Jobs that are deleted are not there any more, nor is what shows them.
 * @param {App} app
 * @param {string[]} ids */
export function drop({ store }, ids) {
  if (ids.length === 0) return;
  const { looked, rival, history, jobs } = store.state;
  const isGone = (/** @type {string | null} */ id) => id !== null && ids.includes(id);
  const isLost = [history.present, ...history.past, ...history.future].some(({ shown }) => isGone(shown));
  store.set({
    jobs: jobs.filter(({ id }) => !isGone(id)),
    looked: isGone(looked) ? null : looked,
    rival: isGone(rival) ? null : rival,
    ...(isLost ? { history: changed(history, (doc) => (isGone(doc.shown) ? { ...doc, shown: null } : doc), store.doc) } : {}),
  });
}

/** A pinned result cannot be deleted by accident.
 * @param {App} app
 * @param {string} id */
export function pin({ store }, id) {
  const pinned = new Set(store.state.pinned);
  if (!pinned.delete(id)) pinned.add(id);
  store.set({ pinned });
}
