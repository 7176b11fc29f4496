// Persistence: the history outlives a reload of the page, in the browser's storage.

/**
 * @typedef {import("./state.js").App} App
 * @typedef {import("./state.js").State} State
 * @typedef {import("./history.js").History} History
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").EditKind} EditKind
 * @typedef {import("./tab.js").Storage} Storage
 * @typedef {import("../net/http.js").Session} Session
 * @typedef {{history: History, watched: string | null, note: string}} Saved  note: a sentence about what could not be loaded, or ""
 */

import { CHOICES, emptyDoc } from "./document.js";
import { begin, changed } from "./history.js";
import { namesOf } from "./inspection.js";
import { afterOtherTab, KEPT, loadKept, PAINTED, saveShared } from "./shared.js";
import { browserStorage, tabStorage } from "./tab.js";

const KEY = "dragondiffusion-page";

/** Version of what is stored. Entries without one are of version 1; versions 1 and 2 are of one document. */
const VERSION = 3;

/** So many steps back, and as many forth, are saved; fewer where the browser has no room for them. */
const STEPS = [60, 10, 0];

/** Milliseconds without a change until it is saved. */
const CALM = 300;

/** Settings that had other names in version 1. */
const RENAMED = {
  hold_rest: "clamp_rest",
  hold_destination: "clamp_destination",
  hold_margin: "clamp_margin",
  hold_vacated: "clamp_hole",
  draft: "proxy",
  carried_start: "transported_start",
};

/** Saves what changes, once nothing has changed for a while; what other tabs keep is taken over.
 * @param {App} app */
export function saveChanges({ store }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let saved = store.state;
  const save = () => {
    clearTimeout(timer);
    const { state } = store;
    if (state.session === null || !state.ready) return;
    saved = state;
    const isBlank = state.history.present.picture === null; // nothing that the next tab could go on with
    saveHistory(state, isBlank ? tabStorage(browserStorage("sessionStorage"), null) : tabStorage());
    saveShared(state, browserStorage("localStorage"));
  };
  store.listen((state) => {
    const isSaved = (/** @type {State} */ other) => other.history === state.history && other.watched === state.watched && other.pinned === state.pinned;
    if (isSaved(saved)) return;
    clearTimeout(timer);
    timer = setTimeout(save, CALM);
  });
  addEventListener("pagehide", save);
  addEventListener("storage", ({ key, oldValue, newValue }) => {
    const { session, history } = store.state;
    if (session === null) return;
    if (key === KEPT) store.set({ pinned: loadKept(session, browserStorage("localStorage")) });
    if (key === PAINTED) store.set({ history: afterOtherTab(history, session, oldValue, newValue) });
  });
}

/** @param {State} state
 * @param {Storage} [storage] */
export function saveHistory({ session, history, watched }, storage = tabStorage()) {
  for (const steps of STEPS) {
    const kept = { past: steps === 0 ? [] : history.past.slice(-steps), present: history.present, future: history.future.slice(0, steps) };
    try {
      return storage.setItem(KEY, JSON.stringify({ version: VERSION, session: session?.session, history: kept, watched }));
    } catch {
      // Full: fewer steps, or none; the page works without.
    }
  }
}

/** The history that was saved under this session, as far as the server still has its images and results.
 * @param {Session} session
 * @param {readonly EditKind[]} kinds  of edits that the server has
 * @param {{getItem: (key: string) => string | null} | null} [storage]
 * @returns {Saved} */
export function loadSaved(session, kinds, storage = tabStorage()) {
  const nothing = { history: begin(emptyDoc()), watched: null, note: "" };
  try {
    const value = JSON.parse(storage?.getItem(KEY) ?? "null");
    if (value?.session !== session.session) return nothing;
    const { version = 1, watched = null } = value;
    if (version > VERSION) return { ...nothing, note: "The last edits were saved by a newer version of this page and cannot be shown." };
    const saved = version === VERSION ? value.history : begin(version === 1 ? withNewNames(value.doc) : value.doc);
    return { ...restoredHistory(saved, session, kinds), watched };
  } catch {
    return nothing;
  }
}

/** @param {History} saved
 * @param {Session} session
 * @param {readonly EditKind[]} kinds
 * @returns {{history: History, note: string}} */
function restoredHistory(saved, session, kinds) {
  const images = new Set((session.pictures ?? []).map(({ name }) => name));
  const results = new Set((session.jobs ?? []).flatMap(({ id, state }) => (state === "done" ? [id] : [])));
  const note = restoredDoc(saved.present, kinds).note;
  const history = changed(
    saved,
    (each) => {
      const { doc } = restoredDoc(each, kinds);
      if (![...namesOf(doc).images].every((name) => images.has(name))) return null;
      return doc.shown === null || results.has(doc.shown) ? doc : { ...doc, shown: null };
    },
    emptyDoc(),
  );
  return { history, note };
}

/** A document of version 1 under the names of version 2.
 * @param {any} doc
 * @returns {any} */
function withNewNames(doc) {
  const advanced = Object.entries(doc.choices?.advanced ?? {}).map(([name, value]) => [RENAMED[/** @type {"draft"} */ (name)] ?? name, value]);
  return { ...doc, choices: { ...doc.choices, advanced: Object.fromEntries(advanced) } };
}

/** A whole document: what is missing has its default, and edits of kinds that the server does not have are left out.
 * @param {any} doc
 * @param {readonly EditKind[]} kinds
 * @returns {{doc: Doc, note: string}} */
function restoredDoc(doc, kinds) {
  /** @type {Doc} */
  const whole = { ...emptyDoc(), ...doc, choices: { ...CHOICES, ...doc.choices } };
  const edits = whole.edits.flatMap((edit) => current(edit, kinds) ?? []);
  const gone = whole.edits.length - edits.length;
  const note = gone === 0 ? "" : `The server does not have ${gone === 1 ? "one" : gone} of the saved edits any more; left out.`;
  const chosen = edits.some(({ id }) => id === whole.chosen) ? whole.chosen : null;
  return { doc: { ...whole, edits, chosen }, note };
}

/** An edit with its kind as the server describes it now; null if it has none.
 * @param {Edit} edit
 * @param {readonly EditKind[]} kinds
 * @returns {Edit | null} */
function current(edit, kinds) {
  if (edit.kind !== "form") return edit;
  const spec = kinds.find(({ name }) => name === edit.spec.name);
  return spec === undefined ? null : { ...edit, spec };
}
