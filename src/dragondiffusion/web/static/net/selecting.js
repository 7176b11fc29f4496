// Selecting an object: clicks and boxes that the server turns into masks, and corrections by brush and lasso.

/**
 * @typedef {import("../model/types.js").Box} Box
 * @typedef {import("../model/types.js").Picture} Picture
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Selection} Selection
 * @typedef {import("./client.js").Client} Client
 * @typedef {import("../model/state.js").App} App
 */

/** The selection after one more click. Clicks on a selection that came from clicks are understood together; to one that
 * was drawn, painted or restored, the object at the click is added or taken away.
 * @param {App} app
 * @param {Picture} picture
 * @param {Selection | null} old
 * @param {Point} at
 * @param {"new" | "add" | "remove"} how
 * @returns {Promise<Selection | null>} */
export async function clicked({ client, views }, picture, old, at, how) {
  if (old === null || how === "new") return ask(client, picture, null, [at], []);
  if (old.found !== null) {
    const [points, outside] = how === "add" ? [[...old.points, at], old.outside] : [old.points, [...old.outside, at]];
    return ask(client, picture, old, points, outside);
  }
  const thing = await ask(client, picture, null, [at], []);
  const [before, more] = await Promise.all([views.load(old.mask.name), views.load(thing.mask.name)]);
  return repainted(client, picture, old, before, drawn(more), how);
}

/** The mask of what a click would select, to be shown while a mouse rests there; null where nothing stands out, or what is known comes too late.
 * @param {App} app
 * @param {Picture | null} picture
 * @param {Point | null} at  null: nothing is pointed at any more
 * @returns {Promise<ImageBitmap | null>} */
export async function glanced({ client, store }, picture, at) {
  if (at === null) client.abortGlance();
  if (at === null || picture === null || store.state.session?.glances !== true) return null;
  const png = await client.glance(picture.name, at).catch(() => null);
  return png === null ? null : createImageBitmap(png);
}

/** The selection that a box around an object means.
 * @param {App} app
 * @param {Picture} picture
 * @param {Box} box
 * @returns {Promise<Selection>} */
export async function boxed({ client }, picture, box) {
  const { mask, notes, candidates } = await client.select({ picture: picture.name, points: [], outside: [], box, found: null, corrected: null });
  return { mask, found: null, points: [], outside: [], notes, others: candidates };
}

/** How much of an image's sides lies beside what is taken for its subject. */
const BORDER = 0.02;

/** The selection of what the image shows above all: what is unlike its border.
 * @param {App} app
 * @param {Picture} picture
 * @returns {Promise<Selection>} */
export function subjectIn(app, picture) {
  const [x, y] = [BORDER * picture.width, BORDER * picture.height];
  return boxed(app, picture, [x, y, picture.width - x, picture.height - y]);
}

/** @param {Client} client
 * @param {Picture} picture
 * @param {Selection | null} before
 * @param {Point[]} points
 * @param {Point[]} outside
 * @returns {Promise<Selection>} */
async function ask(client, picture, before, points, outside) {
  const [found, now] = [before?.found?.name ?? null, before?.mask.name ?? null];
  const corrected = now === found ? null : now;
  const answer = await client.select({ picture: picture.name, points, outside, box: null, found, corrected });
  return { mask: answer.mask, found: answer.found, points, outside, notes: answer.notes, others: answer.candidates };
}

/** @param {ImageBitmap} view
 * @returns {HTMLCanvasElement} */
function drawn(view) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: view.width, height: view.height });
  canvas.getContext("2d")?.drawImage(view, 0, 0);
  return canvas;
}

/** The selection with what was drawn around by the lasso, cut along edges nearby, added or taken away.
 * @param {App} app
 * @param {Picture} picture
 * @param {Selection | null} old
 * @param {HTMLCanvasElement} painted  white is inside
 * @param {"add" | "remove"} how
 * @returns {Promise<Selection | null>} */
export async function snapped({ client, views }, picture, old, painted, how) {
  if (old === null && how === "remove") return null;
  const { notes, ...mask } = await client.mask(picture.name, await pngOf(painted), true);
  if (old === null) return { mask, found: null, points: [], outside: [], notes };
  const [before, more] = await Promise.all([views.load(old.mask.name), views.load(mask.name)]);
  return repainted(client, picture, old, before, drawn(more), how);
}

/** @param {HTMLCanvasElement} canvas
 * @returns {Promise<Blob>} */
export async function pngOf(canvas) {
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob === null) throw new Error("The browser could not write the mask.");
  return blob;
}

/** The selection with what was painted added or taken away; null if nothing was there to take away from.
 * @param {Client} client
 * @param {Picture} picture
 * @param {Selection | null} old
 * @param {CanvasImageSource | null} view  of the old mask, white inside
 * @param {HTMLCanvasElement} painted  white is painted
 * @param {"add" | "remove"} how
 * @returns {Promise<Selection | null>} */
export async function repainted(client, picture, old, view, painted, how) {
  if (old === null && how === "remove") return null;
  const { notes, ...mask } = await client.mask(picture.name, await pngOf(combined(view, painted, how)));
  return { mask, found: old?.found ?? null, points: old?.points ?? [], outside: old?.outside ?? [], notes };
}

/** A mask as it is, with what was painted added or taken away.
 * @param {CanvasImageSource | null} view  null is black
 * @param {HTMLCanvasElement} painted
 * @param {"add" | "remove"} how
 * @returns {HTMLCanvasElement} */
export function combined(view, painted, how) {
  const { width, height } = painted;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.fillRect(0, 0, width, height);
  if (view !== null) context.drawImage(view, 0, 0, width, height);
  const below = context.getImageData(0, 0, width, height);
  const above = /** @type {CanvasRenderingContext2D} */ (painted.getContext("2d")).getImageData(0, 0, width, height);
  mixGrey(below.data, above.data, how);
  context.putImageData(below, 0, 0);
  return canvas;
}

/** Adds what is painted to a mask, or takes it away; in place, four bytes a pixel.
 * @param {Uint8ClampedArray} mask
 * @param {Uint8ClampedArray} painted
 * @param {"add" | "remove"} how */
export function mixGrey(mask, painted, how) {
  for (let k = 0; k < mask.length; k += 4) {
    const paint = Math.round(((painted[k] ?? 0) * (painted[k + 3] ?? 0)) / 255);
    const old = mask[k] ?? 0;
    const grey = how === "add" ? Math.max(old, paint) : Math.min(old, 255 - paint);
    mask[k] = mask[k + 1] = mask[k + 2] = grey;
    mask[k + 3] = 255;
  }
}
