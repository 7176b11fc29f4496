// Downloads: images, recipes, Python, command lines, and all files together.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/types.js").Job} Job
 * @typedef {import("../model/types.js").Recipe} Recipe
 */

import { dialog, h, save } from "./dom.js";
import { isOf } from "../model/groups.js";
import { problems } from "../model/problems.js";
import { toRecipe } from "../model/recipe.js";
import { sentences, shownJob } from "../model/state.js";
import { finalPicture } from "../net/painting_back.js";

/** What recipes leave out. */
const UNPAINTED = "Its recipe makes the result as it was before the original was painted back.";

/** The full-size result, which contains its recipe.
 * @param {App} app
 * @param {Job} job */
export async function downloadResult(app, job) {
  const { store, client } = app;
  const isPainted = store.doc.backs[job.id] !== undefined;
  const png = await store.wait(async () => (isPainted ? client.file((await finalPicture(app, job)).name) : client.result(job.id)));
  if (png === null) return;
  const name = `${stem(job.result?.title ?? "edited")}-${job.seed}${isPainted ? "-painted" : ""}.png`;
  save(png, name);
  store.say(sentences(`Saved as “${name}”`, isPainted ? UNPAINTED : ""));
}

/** Saves the result that is looked at, or the newest of the open image.
 * @param {App} app */
export function saveResult(app) {
  const job = downloadable(app);
  if (job === null) app.store.call("There is no result yet; press Edit first.");
  else void downloadResult(app, job);
}

/** The job that downloads are about: the one that is looked at, else the newest of the open image that is done.
 * @param {App} app
 * @returns {Job | null} */
export function downloadable({ store }) {
  const { jobs, shown } = store.state;
  const open = store.doc.picture?.name;
  const done = jobs.filter((job) => job.state === "done" && (job.id === shown || job.recipe.image === open || isOf(job, open)));
  return done.find((job) => job.id === shown) ?? done[done.length - 1] ?? null;
}

/** The recipe that is exported: of the result that is shown, else of the document.
 * @param {App} app
 * @returns {Recipe | null} */
function exported({ store }) {
  const shown = shownJob(store.state);
  if (shown !== undefined) return { ...shown.recipe, seed: shown.seed };
  const [problem] = problems(store.doc);
  if (problem === undefined) return toRecipe(store.doc);
  store.call(problem);
  return null;
}

/** @param {App} app */
export async function downloadRecipe(app) {
  const recipe = exported(app);
  const text = recipe && (await app.store.wait(() => app.client.export(recipe)));
  if (text === null) return;
  save(new Blob([text.recipe], { type: "application/json" }), `${title(app)}.json`);
  sayUnpainted(app);
}

/** @param {App} app */
export async function downloadFiles(app) {
  const recipe = exported(app);
  const zip = recipe && (await app.store.wait(() => app.client.exportFiles(recipe)));
  if (zip === null) return;
  save(zip, `${title(app)}.zip`);
  sayUnpainted(app);
}

/** @param {App} app */
function sayUnpainted(app) {
  if (isPaintedOn(app)) app.store.say(UNPAINTED);
}

/** Whether the original was painted back into the result that is looked at.
 * @param {App} app
 * @returns {boolean} */
function isPaintedOn({ store }) {
  return store.doc.backs[store.state.shown ?? ""] !== undefined;
}

/** Python or a command line goes to the clipboard.
 * @param {App} app
 * @param {"python" | "command"} form */
export async function copyAs(app, form) {
  const recipe = exported(app);
  const text = recipe && (await app.store.wait(() => app.client.export(recipe)));
  if (text === null) return;
  const name = form === "python" ? "Python" : "Command line";
  try {
    await navigator.clipboard.writeText(text[form]);
    app.store.say(`${name} copied. “All files” holds the images and masks that it names. ${isPaintedOn(app) ? UNPAINTED : ""}`.trim());
  } catch {
    showText(app, name, text[form]);
  }
}

/** Where the browser does not let pages copy, the text is shown, selected.
 * @param {App} app
 * @param {string} name
 * @param {string} text */
function showText(app, name, text) {
  const field = h("textarea", { class: "dd-code", readonly: true, rows: 14, "aria-label": name }, text);
  dialog(app.root, name, h("p", { class: "dd-faint" }, "Copy it with Ctrl+C."), field);
  field.select();
}

/** @param {App} app
 * @returns {string} */
function title({ store }) {
  return stem(store.doc.picture?.title ?? "edit");
}

/** @param {string} name
 * @returns {string} */
function stem(name) {
  return name.replace(/\.[a-z0-9]+$/i, "").replace(/[^\p{L}\p{N}_-]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "edit";
}
