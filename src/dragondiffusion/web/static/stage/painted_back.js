// Results as they are looked at: with the original where it is painted back.

/**
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Job} Job
 * @typedef {import("../net/views.js").Views} Views
 */

import { context, newCanvas } from "../gestures/painting.js";
import { alphaCanvas, greys } from "./shapes.js";
import { sizeOf } from "./scene.js";

/** What was put together last, by the view of the result. @type {WeakMap<object, {original: object, mask: object, canvas: HTMLCanvasElement}>} */
const made = new WeakMap();

/** A result as it is seen; null while its view is not there.
 * @param {Views} views
 * @param {Doc} doc
 * @param {Job} job
 * @returns {CanvasImageSource | null} */
export function seenResult(views, doc, job) {
  const result = job.result === null ? null : views.get(job.result.name);
  const back = doc.backs[job.id];
  if (result === null || back === undefined) return result;
  const [original, mask] = [views.get(job.recipe.image), views.get(back.name)];
  if (original === null || mask === null) return result;
  const known = made.get(result);
  if (known?.original === original && known.mask === mask) return known.canvas;
  const canvas = laidOver(result, original, mask);
  made.set(result, { original, mask, canvas });
  return canvas;
}

/** An image with another over it where a mask is white.
 * @param {CanvasImageSource} below
 * @param {CanvasImageSource} above
 * @param {CanvasImageSource} mask  grey
 * @returns {HTMLCanvasElement} of the size of the lower one */
function laidOver(below, above, mask) {
  const size = sizeOf(below);
  const cut = newCanvas(size);
  const pen = context(cut);
  pen.drawImage(above, 0, 0, size.width, size.height);
  pen.globalCompositeOperation = "destination-in";
  pen.drawImage(alphaCanvas(greys(mask, sizeOf(mask))), 0, 0, size.width, size.height);
  const canvas = newCanvas(size);
  const over = context(canvas);
  over.drawImage(below, 0, 0, size.width, size.height);
  over.drawImage(cut, 0, 0);
  return canvas;
}
