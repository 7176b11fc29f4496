// The state of the page: the document's history, tools, jobs, images; and the listeners that are called when it changes.

/**
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Job} Job
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Tool} Tool
 * @typedef {import("../net/http.js").Session} Session
 * @typedef {import("./history.js").History} History
 * @typedef {{image: CanvasImageSource, box: Box}} Layer  a part of the image
 *
 * @typedef {object} State
 * @property {History} history
 * @property {Tool} tool
 * @property {number} brush  diameter, per cent of the image's longer side
 * @property {"new" | "add" | "remove"} how  what clicks and lassos do
 * @property {Session | null} session
 * @property {readonly Job[]} jobs  newest last
 * @property {ReadonlySet<string>} pinned  jobs whose results cannot be deleted by accident
 * @property {string | null} shown  job whose result is looked at
 * @property {string | null} rival  job whose result it is compared with; null is the image before
 * @property {boolean} compares  the result that is looked at is beside what was before
 * @property {number} split  share of the width that shows what was before
 * @property {Layer | null} preview
 * @property {(Layer & {doc: Doc}) | null} live  the intermediate image of a running job, and the document it was submitted with
 * @property {number} busy  requests that the person waits for
 * @property {string} status
 * @property {number} calls  how often the status line called for attention
 * @property {string | null} error
 * @property {readonly import("./types.js").EditKind[]} kinds  of edits that the server has
 * @property {boolean} ready  the session is there
 * @property {Picture | null} second  of a drawn scene, offered for pasting
 *
 * @typedef {object} App  What panels and actions work with.
 * @property {Store} store
 * @property {import("../net/client.js").Client} client
 * @property {import("../net/views.js").Views} views
 * @property {HTMLElement} root
 * @property {import("../stage/stage.js").Stage | null} stage
 */

import { emptyDoc } from "./document.js";
import * as history from "./history.js";

/** Milliseconds for which a note stays. */
const READING = 8000;

/** @returns {State} */
export function firstState() {
  return {
    history: history.begin(emptyDoc()),
    tool: "select",
    brush: 5,
    how: "new",
    session: null,
    jobs: [],
    pinned: new Set(),
    shown: null,
    rival: null,
    compares: false,
    split: 0.5,
    preview: null,
    live: null,
    busy: 0,
    status: "",
    calls: 0,
    error: null,
    kinds: [],
    ready: false,
    second: null,
  };
}

export class Store {
  /** @type {State} */
  state;
  /** @type {((state: State) => void)[]} */
  #listeners = [];
  #isDue = false;
  #readUntil = 0;
  #later;

  /** @param {State} state
   * @param {(run: () => void) => void} later  runs what calls the listeners; once for many changes */
  constructor(state, later) {
    this.state = state;
    this.#later = later;
  }

  /** @returns {Doc} */
  get doc() {
    return this.state.history.present;
  }

  /** @param {(state: State) => void} listener */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** @param {Partial<State>} changes */
  set(changes) {
    this.state = { ...this.state, ...changes };
    if (this.#isDue) return;
    this.#isDue = true;
    this.#later(() => {
      this.#isDue = false;
      for (const listener of this.#listeners) listener(this.state);
    });
  }

  /** A finished change of the document; looking at a result ends.
   * @param {Doc} doc */
  push(doc) {
    this.set({ history: history.push(this.state.history, doc), shown: null, rival: null });
  }

  /** A change of a gesture that goes on, or its last one.
   * @param {Doc} doc
   * @param {string} gesture
   * @param {boolean} final */
  during(doc, gesture, final) {
    const next = final ? history.finish : history.during;
    this.set({ history: next(this.state.history, doc, gesture), shown: null, rival: null });
  }

  settle() {
    this.set({ history: history.settle(this.state.history) });
  }

  callOff() {
    this.set({ history: history.callOff(this.state.history) });
  }

  undo() {
    this.set({ history: history.undo(this.state.history), shown: null, rival: null });
  }

  redo() {
    this.set({ history: history.redo(this.state.history), shown: null, rival: null });
  }

  /** @param {string} status */
  say(status) {
    this.set({ status });
  }

  /** Says something that has to be read; hints wait for it.
   * @param {string} status */
  note(status) {
    this.#readUntil = Date.now() + READING;
    this.say(status);
  }

  /** Says what is good to know, once a note has been there for long enough and if nothing else was said since.
   * @param {string} status */
  hint(status) {
    const [left, before] = [this.#readUntil - Date.now(), this.state.status];
    if (left <= 0) this.say(status);
    else setTimeout(() => this.state.status === before && this.say(status), left);
  }

  /** Says why something does not work, so that it is seen.
   * @param {string} status */
  call(status) {
    this.set({ status, calls: this.state.calls + 1 });
  }

  /** Awaits work that the person waits for; an error becomes a notice.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T | null>} */
  async wait(work) {
    const { session } = this.state;
    this.set({ busy: this.state.busy + 1, error: null });
    try {
      return await work();
    } catch (error) {
      const isAbort = error instanceof Error && error.name === "AbortError";
      const isOld = session !== null && session !== this.state.session; // its session is over, which was reported
      if (!isAbort && !isOld) this.set({ error: words(error) });
      return null;
    } finally {
      this.set({ busy: this.state.busy - 1 });
    }
  }
}

/** An error in words.
 * @param {unknown} error
 * @returns {string} */
export function words(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Parts of a message as sentences, one after the other.
 * @param {...string} parts  empty ones are left out
 * @returns {string} */
export function sentences(...parts) {
  const said = parts.map(words).filter((part) => part !== "");
  return said.map((part) => (/[.!?]$/.test(part) ? part : `${part}.`)).join(" ");
}
