// The strip of results, newest first: looking, comparing, keeping, downloading, going on from them.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Job} Job
 */

import { isFinished } from "../net/client.js";
import { byName, h, iconButton, list, setText, wordButton } from "./dom.js";
import { downloadResult } from "./downloads.js";
import { bringBack, cancel, compareWith, forget, goOn, pin, show } from "../net/running.js";
import { groupsOf } from "../model/groups.js";
import { jobOf } from "../model/state.js";
import { menu } from "./menu.js";
import { seenResult } from "../stage/painted_back.js";
import { sizeOf } from "../stage/scene.js";

/** @type {Record<Job["state"], string>} */
const STATES = {
  waiting: "Waiting",
  running: "Editing",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
};

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeResults(app) {
  const strip = byName(app.root, "results");
  const groups = h("ol", { class: "dd-groups" });
  strip.append(groups);
  return (state) => {
    strip.hidden = state.jobs.length === 0;
    const found = groupsOf(state);
    list(groups, found, ({ name }) => name, group, (element, { title, jobs }) => {
      const [heading, items] = /** @type {[HTMLElement, HTMLElement]} */ (Array.from(element.children));
      heading.hidden = found.length === 1;
      setText(heading, title);
      items.setAttribute("aria-label", title);
      list(items, jobs, (job) => job.id, (job) => card(app, job.id), (each, job) => update(app, state, each, job));
    });
  };
}

/** @returns {HTMLElement} */
function group() {
  return h("li", { class: "dd-group" }, h("h3", { class: "dd-group-title" }), h("ol", { class: "dd-results" }));
}

/** @param {App} app
 * @param {string} id
 * @returns {HTMLElement} */
function card(app, id) {
  /** @param {(job: Job) => unknown} act */
  const withJob = (act) => () => {
    const job = jobOf(app.store.state, id);
    if (job !== undefined) act(job);
  };
  const picture = h("canvas", { class: "dd-thumb", width: 192, height: 128, "aria-hidden": "true" });
  const look = h("button", { type: "button", class: "dd-show" }, picture, h("span", { class: "dd-badge" }));
  look.addEventListener("click", withJob((job) => job.result !== null && show(app, app.store.state.shown === id ? null : id)));
  const more = menu("more", "More of this result", [
    wordButton("next", "Continue from here", withJob((job) => void goOn(app, job)), "dd-item dd-needs-result"),
    wordButton("compare", "Compare with the one shown", () => compareWith(app, id), "dd-item dd-compares"),
    wordButton("download", "Download (PNG)", withJob((job) => downloadResult(app, job)), "dd-item dd-needs-result"),
    wordButton("undo", "Bring back its edits", withJob((job) => bringBack(app, job)), "dd-item dd-needs-result"),
    wordButton("trash", "Delete", () => void forget(app, id), "dd-item dd-deletes"),
  ]);
  const keep = iconButton("pin", "Keep", () => pin(app, id), "dd-plain dd-pin");
  const stop = iconButton("close", "Cancel", () => void cancel(app, id), "dd-plain dd-stop");
  const words = h("p", { class: "dd-words" });
  const foot = h("div", { class: "dd-card-foot" }, words, stop, keep, more);
  return h("li", { class: "dd-card" }, look, foot);
}

/** @param {App} app
 * @param {State} state
 * @param {HTMLElement} element
 * @param {Job} job */
function update(app, state, element, job) {
  const part = (/** @type {string} */ selector) => /** @type {HTMLButtonElement} */ (element.querySelector(selector));
  const [isDone, isPinned, isShown] = [job.state === "done", state.pinned.has(job.id), state.shown === job.id];
  const words = isDone ? (job.report?.words ?? "Done") : (job.error ?? STATES[job.state]);
  setText(part(".dd-words"), isDone ? (words.split(";", 1)[0] ?? words) : words); // the rest stands on the image
  part(".dd-words").title = [words, ...job.notes].join(" ");
  const badge = isDone ? `seed ${job.seed}` : job.state === "running" ? share(job) : STATES[job.state];
  setText(part(".dd-badge"), state.rival === job.id ? "compared" : badge);
  part(".dd-show").disabled = !isDone;
  part(".dd-show").setAttribute("aria-label", `Result, seed ${job.seed}: ${words}`);
  part(".dd-show").setAttribute("aria-pressed", String(isShown));
  part(".dd-pin").hidden = !isDone;
  part(".dd-pin").setAttribute("aria-pressed", String(isPinned));
  part(".dd-stop").hidden = isFinished(job);
  for (const item of /** @type {NodeListOf<HTMLButtonElement>} */ (element.querySelectorAll(".dd-needs-result"))) item.disabled = !isDone;
  part(".dd-compares").disabled = !isDone || state.shown === null || isShown;
  part(".dd-deletes").disabled = isPinned;
  drawThumbnail(app, /** @type {HTMLCanvasElement} */ (element.querySelector("canvas")), job);
}

/** @param {Job} job
 * @returns {string} */
function share(job) {
  return job.total > 0 ? `${Math.round((100 * job.done) / job.total)} %` : STATES[job.state];
}

/** @param {App} app
 * @param {HTMLCanvasElement} canvas
 * @param {Job} job */
function drawThumbnail(app, canvas, job) {
  const name = job.result?.name ?? job.recipe.image;
  const key = `${name} ${app.store.doc.backs[job.id]?.name ?? ""}`;
  if (canvas.dataset.name === key) return;
  const view = job.result === null ? app.views.get(name) : seenResult(app.views, app.store.doc, job);
  if (view === null) return;
  const isWhole = app.store.doc.backs[job.id] === undefined || view instanceof HTMLCanvasElement; // until then it is drawn again
  if (isWhole) canvas.dataset.name = key;
  const size = sizeOf(view);
  const factor = Math.max(canvas.width / size.width, canvas.height / size.height);
  const [width, height] = [size.width * factor, size.height * factor];
  canvas.getContext("2d")?.drawImage(view, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}
