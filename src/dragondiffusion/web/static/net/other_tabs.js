// Results that other tabs of the session made or deleted: asked for when the page is looked at again.

/** @typedef {import("../model/state.js").App} App */

import { isFinished } from "./client.js";
import { drop, follow, put } from "./running.js";
import { jobOf } from "../model/state.js";

/** @param {App} app */
export function listenForOtherTabs(app) {
  let isAsking = false;
  const ask = async () => {
    if (isAsking || !app.store.state.ready || document.visibilityState === "hidden") return;
    isAsking = true;
    await catchUp(app).finally(() => (isAsking = false));
  };
  window.addEventListener("focus", () => void ask());
  document.addEventListener("visibilitychange", () => void ask());
}

/** Takes over the jobs of the session as the server knows them.
 * @param {App} app */
export async function catchUp(app) {
  const { store, client } = app;
  const known = new Set(store.state.jobs.map(({ id }) => id));
  const jobs = await client.jobs().catch(() => null); // a server that is away says so elsewhere
  if (jobs === null) return;
  for (const job of jobs) {
    if (known.has(job.id) || jobOf(store.state, job.id) !== undefined) continue;
    put(app, job);
    if (!isFinished(job)) void follow(app, job.id, null);
  }
  drop(app, [...known].filter((id) => !jobs.some((job) => job.id === id)));
}
