// Requests to the server: a session that renews itself, and errors as sentences.

/**
 * @typedef {import("../model/types.js").Box} Box
 * @typedef {import("../model/types.js").Job} Job
 * @typedef {import("../model/types.js").Picture} Picture
 *
 * @typedef {object} Session
 * @property {string} session
 * @property {string} model
 * @property {boolean} demo
 * @property {string[]} [model_notes]  of the model, since it was loaded
 * @property {string} [good_for]  what the model is made for, where that is little
 * @property {string} [better]  the command that loads a model for the rest
 * @property {{bytes: number, pixels: number, steps: number, tries: number, waiting: number}} limits
 * @property {boolean} masks  whether clicks can select objects
 * @property {boolean} [glances]  whether it can be shown at once what a click would select
 * @property {boolean} faces  whether landmarks can be found
 * @property {Picture[]} [pictures]
 * @property {Job[]} [jobs]
 *
 * @typedef {{image: Blob, box: Box | null}} Part  an image of a part of the edited image
 * @typedef {{getItem: (key: string) => string | null, setItem: (key: string, value: string) => void}} Storage
 * @typedef {{fetch?: typeof fetch, storage?: Storage | null}} Parts
 */

const KEY = "dragondiffusion-session";

/** An answer that is an error, in the server's words. */
export class ApiError extends Error {
  /** @param {number} status  0 if there was no answer
   * @param {string} sentence */
  constructor(status, sentence) {
    super(sentence);
    this.name = "ApiError";
    this.status = status;
  }
}

/** Whether an error only says that something newer took its place.
 * @param {unknown} error
 * @returns {boolean} */
export function isAbort(error) {
  return error instanceof Error && error.name === "AbortError";
}

/** Requests under one session. */
export class Http {
  #base;
  #fetch;
  #storage;
  /** @type {string | null} */
  #token;
  /** @type {Promise<Session> | null} */
  #renewing = null;

  /** @param {string} base  where the server is, with a slash at its end
   * @param {Parts} [parts] */
  constructor(base, parts = {}) {
    this.#base = base;
    this.#fetch = parts.fetch ?? globalThis.fetch.bind(globalThis);
    this.#storage = parts.storage ?? null;
    this.#token = this.#storage?.getItem(KEY) ?? null;
    /** Called when the server has forgotten the session and a new one was made.
     * @type {(session: Session) => void} */
    this.onRenewed = () => undefined;
  }

  /** The stored session, with its images and jobs, or a new one.
   * @returns {Promise<Session>} */
  async session() {
    if (this.#token === null) return this.#begin();
    const response = await this.send("GET", "session");
    return response.status === 401 ? this.#begin() : (await checked(response)).json();
  }

  /** An answer that is no error; asks once more under a new session if the old one is unknown.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {AbortSignal} [signal]
   * @returns {Promise<Response>} */
  async call(method, path, body, signal) {
    const token = this.#token;
    const response = await this.send(method, path, body, signal);
    if (response.status !== 401) return checked(response);
    if (token === this.#token) this.onRenewed(await this.#renew());
    return checked(await this.send(method, path, body, signal));
  }

  /** An answer of any status.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {AbortSignal} [signal]
   * @param {boolean} [withSession]
   * @returns {Promise<Response>} */
  async send(method, path, body, signal, withSession = true) {
    const headers = new Headers();
    if (withSession && this.#token !== null) headers.set("X-Session", this.#token);
    const isFile = body instanceof Blob;
    if (body !== undefined && !isFile) headers.set("Content-Type", "application/json");
    const sent = body === undefined ? undefined : isFile ? body : JSON.stringify(body);
    try {
      return await this.#fetch(`${this.#base}api/${path}`, { method, headers, body: sent, signal, cache: "no-store" });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError(0, "The server does not answer; is it still running?");
    }
  }

  /** @returns {Promise<Session>} */
  async #begin() {
    const response = await this.send("POST", "session", {}, undefined, false);
    const session = /** @type {Session} */ (await (await checked(response)).json());
    this.#token = session.session;
    this.#storage?.setItem(KEY, session.session);
    return session;
  }

  /** A new session after the server has forgotten this one; several calls that notice it share it.
   * @returns {Promise<Session>} */
  async #renew() {
    this.#renewing ??= this.#begin().finally(() => (this.#renewing = null));
    return this.#renewing;
  }
}

/** @param {Response} response
 * @returns {Promise<Response>} */
export async function checked(response) {
  if (response.ok) return response;
  throw new ApiError(response.status, await sentence(response));
}

/** @param {Response} response
 * @returns {Promise<string>} */
async function sentence(response) {
  try {
    const { detail } = await response.json();
    if (typeof detail === "string") return detail;
  } catch {
    // No JSON: the status has to do.
  }
  return `The server answered ${response.status} ${response.statusText}`.trim() + ".";
}

/** @param {Response} response
 * @returns {Promise<Part>} */
export async function part(response) {
  const numbers = (response.headers.get("X-Box") ?? "").split(",").map(Number);
  const box = numbers.length === 4 && numbers.every(Number.isFinite) ? /** @type {Box} */ (numbers) : null;
  return { image: await response.blob(), box };
}
