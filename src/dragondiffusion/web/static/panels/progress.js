// The progress of the running edit: phase, bar, seconds left, Cancel.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Job} Job
 */

import { isFinished } from "../net/client.js";
import { byName, h, setText, wordButton } from "./dom.js";
import { cancel } from "../net/running.js";

/** @type {Record<string, string>} */
const PHASES = {
  read: "Reading the image",
  load: "Reading the image",
  invert: "Looking at the image",
  edit: "Editing",
  decode: "Finishing",
  write: "Saving",
};

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeProgress(app) {
  const box = byName(app.root, "progress");
  const [phase, left] = [h("span", { class: "dd-phase" }), h("span", { class: "dd-faint" })];
  const bar = h("progress", { class: "dd-bar", max: 1, "aria-label": "Progress of the edit" });
  /** @type {string | null} */
  let id = null;
  const stop = wordButton("close", "Cancel", () => {
    if (id !== null) void cancel(app, id);
  }, "dd-compact");
  box.append(h("div", { class: "dd-grow" }, h("div", { class: "dd-row" }, phase, left), bar), stop);
  return (state) => {
    const open = state.jobs.filter((job) => !isFinished(job));
    const job = open.find((each) => each.state === "running") ?? open[0];
    box.hidden = job === undefined;
    id = job?.id ?? null;
    if (job === undefined) return;
    setText(phase, phaseOf(job));
    setText(left, [leftOf(job), open.length > 1 ? `${open.length - 1} more waiting` : ""].filter((part) => part !== "").join(" · "));
    if (job.state === "running" && job.total > 0) bar.value = job.done / job.total;
    else bar.removeAttribute("value");
  };
}

/** @param {Job} job
 * @returns {string} */
function phaseOf(job) {
  if (job.state === "running") return PHASES[job.phase] ?? "Starting";
  return job.position > 0 ? `Waiting, ${job.position} before it` : "Waiting";
}

/** @param {Job} job
 * @returns {string} */
function leftOf({ seconds_left: seconds }) {
  if (seconds === null) return "";
  if (seconds > 5400) return "more than an hour left";
  return seconds < 90 ? `${Math.max(1, Math.ceil(seconds))} s left` : `${Math.ceil(seconds / 60)} min left`;
}
