// The original painted back into a result: where, and the image at full size that comes of it.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/types.js").Job} Job
 * @typedef {import("../model/types.js").Mask} Mask
 * @typedef {import("../model/types.js").Picture} Picture
 */

import { combined, pngOf } from "./selecting.js";

/** Where the original is painted back after one more stroke; null is nowhere.
 * @param {App} app
 * @param {Job} job
 * @param {Mask | null} old
 * @param {HTMLCanvasElement} painted  white is painted
 * @param {"add" | "remove"} how  "remove" paints the result again
 * @returns {Promise<Mask | null>} */
export async function afterStroke({ client, views }, job, old, painted, how) {
  if (old === null && how === "remove") return null;
  const canvas = combined(old === null ? null : await views.load(old.name), painted, how);
  if (isBlack(canvas)) return null;
  const { notes: _, ...mask } = await client.mask(job.recipe.image, await pngOf(canvas));
  await views.load(mask.name); // what is on show stays until this can be seen
  return mask;
}

/** @param {HTMLCanvasElement} canvas
 * @returns {boolean} */
function isBlack(canvas) {
  const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).getImageData(0, 0, canvas.width, canvas.height);
  for (let k = 0; k < data.length; k += 4) if ((data[k] ?? 0) > 127) return false;
  return true;
}

/** A result as the document has it, at full size; what is painted back into it is made part of it.
 * @param {App} app
 * @param {Job} job  that is done
 * @returns {Promise<Picture>} */
export async function finalPicture({ store, client }, job) {
  const mask = store.doc.backs[job.id];
  if (mask === undefined) return /** @type {Picture} */ (job.result);
  const picture = await client.painted(job.id, mask.name);
  const painted = [...new Set([...(job.painted ?? []), picture.name])];
  store.set({ jobs: store.state.jobs.map((each) => (each.id === job.id ? { ...each, painted } : each)) });
  return picture;
}
