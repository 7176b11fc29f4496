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
 * @typedef {{text: string, doc: Doc, tool: Tool, shown: string | null}} Note  a message, and what it was said about
 *
 * @typedef {object} State
 * @property {History} history
 * @property {Tool} tool
 * @property {number} brush  diameter, per cent of the image's longer side
 * @property {number} softness  of the brush, per cent of its radius
 * @property {boolean} snaps  what the lasso is drawn around is cut along edges
 * @property {"new" | "add" | "remove"} how  what clicks and lassos do; "new" while nothing is worked on
 * @property {Session | null} session
 * @property {readonly Job[]} jobs  newest last
 * @property {ReadonlySet<string>} pinned  jobs whose results cannot be deleted by accident
 * @property {string | null} looked  job whose result was opened from the strip; no step of the history
 * @property {string | null} watched  job that runs while its intermediate images are looked at
 * @property {string | null} shown  job whose result is looked at: `looked`, else the document's; follows from the others
 * @property {string | null} rival  job whose result it is compared with; null is the image before
 * @property {boolean} compares  the result that is looked at is beside what was before
 * @property {number} split  share of the width that shows what was before
 * @property {Layer | null} preview
 * @property {string | null} refusal  why the server cannot make the edits; null where it can, or was not asked yet
 * @property {(Layer & {doc: Doc}) | null} live  the intermediate image of a running job, and the document it was submitted with
 * @property {number} busy  requests that the person waits for
 * @property {Note | null} note  the last message; it counts as long as what it is about is there, see `statusOf`
 * @property {number} calls  how often the status line called for attention
 * @property {boolean} away  the server does not answer
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

import { emptyDoc, paintBack, sameWork, workedOn } from "./document.js";
import * as history from "./history.js";
import { fittingTool } from "./tools.js";

/** @returns {State} */
export function firstState() {
  return {
    history: history.begin(emptyDoc()),
    tool: "select",
    brush: 5,
    softness: 0,
    snaps: true,
    how: "new",
    session: null,
    jobs: [],
    pinned: new Set(),
    looked: null,
    watched: null,
    shown: null,
    rival: null,
    compares: false,
    split: 0.5,
    preview: null,
    refusal: null,
    live: null,
    busy: 0,
    note: null,
    calls: 0,
    away: false,
    error: null,
    kinds: [],
    ready: false,
    second: null,
  };
}

/** A state with what follows from its parts: the one place where what no longer holds is put back.
 * @param {State} before
 * @param {State} state
 * @returns {State} */
function consistent(before, state) {
  const doc = state.history.present;
  const isOtherImage = before.history.present.picture?.name !== doc.picture?.name;
  const shown = state.watched === null ? (state.looked ?? doc.shown) : null;
  const tool = isOtherImage || (state.tool === "original" && shown === null) ? "select" : state.tool;
  const isLeft = tool !== before.tool && (tool === "original" || before.tool === "original");
  const hasTarget = tool === "original" || workedOn(doc) !== null;
  return {
    ...state,
    tool,
    how: isOtherImage || isLeft || !hasTarget ? "new" : state.how,
    compares: tool === "original" ? false : state.compares, // what is painted would be behind what was before
    shown,
    ...(shown === before.shown ? {} : { rival: null, compares: false }),
  };
}

/** A job by its name; undefined where there is none of that name, or no name.
 * @param {{jobs: readonly Job[]}} state
 * @param {string | null} id
 * @returns {Job | undefined} */
export function jobOf({ jobs }, id) {
  return jobs.find((job) => job.id === id);
}

/** The job whose result is looked at.
 * @param {{jobs: readonly Job[], shown: string | null}} state
 * @returns {Job | undefined} */
export function shownJob(state) {
  return jobOf(state, state.shown);
}

export class Store {
  /** @type {State} */
  state;
  /** @type {((state: State) => void)[]} */
  #listeners = [];
  #isDue = false;
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
    this.state = consistent(this.state, { ...this.state, ...changes });
    if (this.#isDue) return;
    this.#isDue = true;
    this.#later(() => {
      this.#isDue = false;
      for (const listener of this.#listeners) listener(this.state);
    });
  }

  /** A finished change of the document; looking at a result ends, and the tool is one that fits the chosen edit.
   * @param {Doc} doc */
  push(doc) {
    this.#work(doc, (plain) => history.push(this.state.history, plain));
  }

  /** A change of a gesture that goes on, or its last one.
   * @param {Doc} doc
   * @param {string} gesture
   * @param {boolean} final */
  during(doc, gesture, final) {
    const next = final ? history.finish : history.during;
    this.#work(doc, (plain) => next(this.state.history, plain, gesture));
  }

  /** @param {Doc} doc
   * @param {(plain: Doc) => History} put */
  #work(doc, put) {
    const plain = doc.shown === null ? doc : { ...doc, shown: null };
    const tool = fittingTool(this.state.tool, this.doc, plain);
    this.set({ history: put(plain), tool, looked: null, watched: null });
  }

  /** A document from elsewhere, with the tool that its edits need.
   * @param {Doc} doc */
  adopt(doc) {
    this.push({ ...doc, backs: this.doc.backs });
    this.set({ tool: fittingTool("select", emptyDoc(), doc), how: "new" });
  }

  settle() {
    this.set({ history: history.settle(this.state.history) });
  }

  callOff() {
    this.set({ history: history.callOff(this.state.history) });
  }

  /** One step back: a result that was opened from the strip is closed, else the last change is undone. The arrival of a result is one. */
  undo() {
    if (this.state.looked !== null) this.set({ looked: null });
    else this.set({ history: history.undo(this.state.history), watched: null });
  }

  redo() {
    this.set({ history: history.redo(this.state.history), looked: null, watched: null });
  }

  /** A change of the document that is no step of its own.
   * @param {Doc} doc */
  amend(doc) {
    this.set({ history: { ...this.state.history, present: doc } });
  }

  /** The result of the document arrived: a step of its own.
   * @param {string} id */
  arrive(id) {
    this.set({ history: history.push(this.state.history, { ...this.doc, shown: id }), looked: null, watched: null });
  }

  /** The input is painted back into the result that is looked at: a step of its own.
   * @param {string} id
   * @param {import("./types.js").Mask | null} mask  where; null is nowhere */
  paintBack(id, mask) {
    if (this.doc.shown !== id) this.set({ history: history.push(this.state.history, { ...this.doc, shown: id }) });
    this.set({ history: history.push(this.state.history, paintBack(this.doc, id, mask)), looked: null, watched: null });
  }

  /** Looks at a result, or at the edits again. Neither changes what undo goes back to.
   * @param {string | null} id */
  look(id) {
    const { past, present } = this.state.history;
    if (id !== null) return this.set({ looked: id === present.shown ? null : id, watched: null });
    this.set({ looked: null, watched: null });
    if (present.shown === null) return;
    const before = past[past.length - 1];
    if (before !== undefined && before.shown === null && sameWork(before, present)) this.undo();
    else this.push(present);
  }

  /** Says something about what is there now; it goes away with that.
   * @param {string} text */
  say(text) {
    const { history: { present: doc }, tool, shown } = this.state;
    this.set({ note: text === "" ? null : { text, doc, tool, shown } });
  }

  /** Says why something does not work, so that it is seen.
   * @param {string} text */
  call(text) {
    this.say(text);
    this.set({ calls: this.state.calls + 1 });
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
