// The server's HTTP API, one method for each request; jobs are followed to their end.

/**
 * @typedef {import("../model/types.js").Box} Box
 * @typedef {import("../model/types.js").EditKind} EditKind
 * @typedef {import("../model/types.js").Job} Job
 * @typedef {import("../model/types.js").Mask} Mask
 * @typedef {import("../model/types.js").Picture} Picture
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Recipe} Recipe
 * @typedef {import("./http.js").Part} Part
 *
 * @typedef {{found: Mask | null, mask: Mask, by: string, candidates: Mask[], notes: string[]}} Selected
 * @typedef {{recipe: Recipe, pictures: Record<string, Picture>, masks: Record<string, Mask>, notes: string[]}} Restored
 * @typedef {{recipe: string, python: string, command: string, files: string[]}} Exported
 */

import { readEvents } from "./events.js";
import { ApiError, checked, Http, isAbort, part } from "./http.js";

const FINISHED = new Set(["done", "failed", "cancelled", "interrupted"]);

/** How often a job's stream is opened, and how often a server that is away is asked, until one gives up. */
const STREAMS = 3;
const SILENT = 60;

/** Whether a job has ended.
 * @param {Job} job
 * @returns {boolean} */
export function isFinished(job) {
  return FINISHED.has(job.state);
}

export class Client extends Http {
  #wait;
  /** @type {AbortController | null} */
  #preview = null;
  /** @type {AbortController | null} */
  #glance = null;

  /** @param {string} base  where the server is, with a slash at its end
   * @param {import("./http.js").Parts & {wait?: (seconds: number) => Promise<void>}} [parts] */
  constructor(base, parts = {}) {
    super(base, parts);
    this.#wait = parts.wait ?? ((seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds)));
    /** Called when the server does not answer while a job is followed, and when it answers again.
     * @type {(isAway: boolean) => void} */
    this.onAway = () => undefined;
  }

  /** @returns {Promise<void>} */
  async endSession() {
    await this.call("DELETE", "session");
  }

  /** @param {Blob} file
   * @param {string} title
   * @returns {Promise<Picture>} */
  async upload(file, title) {
    return (await this.call("POST", `pictures?title=${encodeURIComponent(title)}`, file)).json();
  }

  /** @param {number} seed
   * @param {string} kind
   * @returns {Promise<{picture: Picture, second: Picture | null}>} */
  async scene(seed, kind) {
    return (await this.call("POST", "scenes", { seed, kind })).json();
  }

  /** @param {string} name
   * @param {number} side  longest, pixels
   * @returns {Promise<Blob>} */
  async view(name, side) {
    return (await this.call("GET", `pictures/${encodeURIComponent(name)}/view?side=${side}`)).blob();
  }

  /** @param {{picture: string, points: Point[], outside: Point[], box: Box | null, found: string | null, corrected: string | null}} question
   * @returns {Promise<Selected>} */
  async select(question) {
    return (await this.call("POST", "selections", question)).json();
  }

  /** What a click would select, small; null where nothing stands out. A newer call aborts this one.
   * @param {string} picture
   * @param {Point} point
   * @returns {Promise<Blob | null>} */
  async glance(picture, point) {
    this.abortGlance();
    const controller = (this.#glance = new AbortController());
    const answer = await this.call("POST", "glances", { picture, point }, controller.signal);
    return answer.status === 204 ? null : answer.blob();
  }

  abortGlance() {
    this.#glance?.abort();
    this.#glance = null;
  }

  /** @param {string} picture
   * @param {Blob} png
   * @param {boolean} [snap]  its border is moved to edges of the image nearby
   * @returns {Promise<Mask & {notes: string[]}>} */
  async mask(picture, png, snap = false) {
    return (await this.call("POST", `masks?picture=${encodeURIComponent(picture)}${snap ? "&snap=true" : ""}`, png)).json();
  }

  /** @param {string} picture
   * @param {number | null} [face]
   * @returns {Promise<Point[]>} */
  async landmarks(picture, face = null) {
    return (await (await this.call("POST", "landmarks", { picture, face })).json()).points;
  }

  /** The part of the image that changes, at once; a newer call aborts this one.
   * @param {Recipe} recipe
   * @returns {Promise<Part>} */
  async preview(recipe) {
    this.abortPreview();
    const controller = (this.#preview = new AbortController());
    return part(await this.call("POST", "previews", { recipe }, controller.signal));
  }

  abortPreview() {
    this.#preview?.abort();
    this.#preview = null;
  }

  /** @param {Recipe} recipe
   * @param {number} tries
   * @returns {Promise<Job>} */
  async submit(recipe, tries) {
    return (await this.call("POST", "jobs", { recipe, tries })).json();
  }

  /** All jobs of the session.
   * @returns {Promise<Job[]>} */
  async jobs() {
    return (await (await this.call("GET", "session")).json()).jobs;
  }

  /** @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<Job>} */
  async job(id, signal) {
    return (await this.call("GET", `jobs/${id}`, undefined, signal)).json();
  }

  /** Reports each state of a job until its end: by the stream of its events, or by asking where that keeps breaking.
   * @param {string} id
   * @param {(job: Job) => void | Promise<void>} report
   * @param {AbortSignal} [signal]
   * @returns {Promise<void>} */
  async follow(id, report, signal) {
    for (let broken = 0; broken < STREAMS; broken++) {
      if (await this.#stream(id, report, signal)) return;
      await this.#wait(0.5 * 2 ** broken);
      if (signal?.aborted) return;
    }
    for (let silent = 0; !signal?.aborted; ) {
      const job = await this.#asked(id, signal, silent < SILENT);
      if (job === null) {
        if (silent++ === 0) this.onAway(true);
      } else {
        if (silent > 0) this.onAway(false);
        silent = 0;
        await report(job);
        if (isFinished(job)) return;
      }
      await this.#wait(job === null ? 2 : 1);
    }
  }

  /** A job; null while the server is away, which may be because it starts again.
   * @param {string} id
   * @param {AbortSignal | undefined} signal
   * @param {boolean} isPatient
   * @returns {Promise<Job | null>} */
  async #asked(id, signal, isPatient) {
    try {
      return await this.job(id, signal);
    } catch (error) {
      const isAway = error instanceof ApiError && (error.status === 0 || error.status >= 500);
      if (isAway && isPatient) return null;
      throw error;
    }
  }

  /** Whether the job ended before its stream did.
   * @param {string} id
   * @param {(job: Job) => void | Promise<void>} report
   * @param {AbortSignal} [signal]
   * @returns {Promise<boolean>} */
  async #stream(id, report, signal) {
    try {
      const response = await this.call("GET", `jobs/${id}/events`, undefined, signal);
      if (response.body === null) return false;
      let isOver = false;
      for await (const { event, data } of readEvents(response.body)) {
        if (event !== "job") continue;
        const job = /** @type {Job} */ (JSON.parse(data));
        await report(job);
        isOver = isFinished(job); // the server closes the stream then
      }
      return isOver;
    } catch (error) {
      if (isAbort(error)) return true;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) throw error;
      return false;
    }
  }

  /** The intermediate image of a running job; null while there is none.
   * @param {string} id
   * @returns {Promise<Part | null>} */
  async frame(id) {
    const response = await this.send("GET", `jobs/${id}/frame`);
    return response.status === 404 ? null : part(await checked(response));
  }

  /** @param {string} id
   * @returns {Promise<Job>} */
  async cancel(id) {
    return (await this.call("POST", `jobs/${id}/cancel`)).json();
  }

  /** @param {string} id
   * @returns {Promise<void>} */
  async forget(id) {
    await this.call("DELETE", `jobs/${id}`);
  }

  /** The full-size result, which contains its recipe.
   * @param {string} id
   * @returns {Promise<Blob>} */
  async result(id) {
    return (await this.call("GET", `jobs/${id}/result`)).blob();
  }

  /** The result with the input painted back where a mask is light, as an image at full size.
   * @param {string} id
   * @param {string} mask  its name
   * @returns {Promise<Picture>} */
  async painted(id, mask) {
    return (await this.call("POST", `jobs/${id}/painted`, { mask })).json();
  }

  /** @param {string} name
   * @returns {Promise<Blob>} */
  async file(name) {
    return (await this.call("GET", `pictures/${encodeURIComponent(name)}`)).blob();
  }

  /** @param {Blob} file  a recipe's JSON, or a resulting PNG
   * @returns {Promise<Restored>} */
  async restore(file) {
    return (await this.call("POST", "recipes", file)).json();
  }

  /** @param {Recipe} recipe
   * @returns {Promise<Exported>} */
  async export(recipe) {
    return (await this.call("POST", "exports", { recipe })).json();
  }

  /** @param {Recipe} recipe
   * @returns {Promise<Blob>} */
  async exportFiles(recipe) {
    return (await this.call("POST", "exports/files", { recipe })).blob();
  }

  /** The kinds of edits that recipes may hold.
   * @returns {Promise<EditKind[]>} */
  async editKinds() {
    return (await this.call("GET", "edits")).json();
  }

  /** The JSON schema of recipes.
   * @returns {Promise<any>} */
  async schema() {
    return (await this.call("GET", "schema")).json();
  }
}
