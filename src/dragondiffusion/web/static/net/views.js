// Images and masks as the screen shows them: fetched once each, by name.

/** @typedef {import("./client.js").Client} Client */

/** Longest side of what is fetched, pixels; finer than screens show. */
export const SIDE = 1600;

/** Views that are kept, and how long more of them stay, milliseconds: none that is on the screen ever goes. */
const MOST = 24;
const STAY = 5000;

export class Views {
  #client;
  #decode;
  #changed;
  /** @type {Map<string, {bitmap: ImageBitmap, used: number}>} in the order of their last use */
  #ready = new Map();
  /** @type {Map<string, Promise<ImageBitmap>>} */
  #pending = new Map();
  /** @type {Set<string>} */
  #failed = new Set();

  /** @param {Client} client
   * @param {() => void} changed  called when another view is there
   * @param {(blob: Blob) => Promise<ImageBitmap>} [decode] */
  constructor(client, changed, decode = (blob) => createImageBitmap(blob)) {
    this.#client = client;
    this.#changed = changed;
    this.#decode = decode;
  }

  /** The view, once it is there.
   * @param {string} name
   * @returns {Promise<ImageBitmap>} */
  load(name) {
    const ready = this.#ready.get(name);
    if (ready !== undefined) return Promise.resolve(ready.bitmap);
    let pending = this.#pending.get(name);
    if (pending === undefined) {
      pending = this.#fetch(name).finally(() => this.#pending.delete(name));
      this.#pending.set(name, pending);
    }
    return pending;
  }

  /** @param {string} name
   * @returns {Promise<ImageBitmap>} */
  async #fetch(name) {
    const bitmap = await this.#decode(await this.#client.view(name, SIDE));
    this.#ready.set(name, { bitmap, used: performance.now() });
    for (const [oldest, { used }] of this.#ready) {
      if (this.#ready.size <= MOST || performance.now() - used < STAY) break;
      this.#ready.delete(oldest);
    }
    this.#changed();
    return bitmap;
  }

  /** The view if it is there; if not, it is fetched and `changed` is called.
   * @param {string} name
   * @returns {ImageBitmap | null} */
  get(name) {
    const ready = this.#ready.get(name);
    if (ready !== undefined) {
      this.#ready.delete(name);
      this.#ready.set(name, { bitmap: ready.bitmap, used: performance.now() });
      return ready.bitmap;
    }
    if (!this.#failed.has(name)) this.load(name).catch(() => this.#failed.add(name));
    return null;
  }

  /** Those of some views that are there.
   * @param {Iterable<string>} names
   * @returns {Map<string, ImageBitmap>} */
  several(names) {
    /** @type {Map<string, ImageBitmap>} */
    const found = new Map();
    for (const name of names) {
      const view = this.get(name);
      if (view !== null) found.set(name, view);
    }
    return found;
  }
}
