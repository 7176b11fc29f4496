// Persistence: the document and the pinned results outlive a reload of the page, in the browser's storage.

/**
 * @typedef {import("./state.js").App} App
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").EditKind} EditKind
 * @typedef {import("../net/http.js").Session} Session
 * @typedef {{doc: Doc, pinned: Set<string>, note: string}} Saved  note: a sentence about what could not be loaded, or ""
 */

import { CHOICES, emptyDoc } from "./document.js";
import { namesOf } from "./inspection.js";

const KEY = "dragondiffusion-page";

/** Version of what is stored. Entries without one are of version 1. */
const VERSION = 2;

/** Settings that had other names in version 1. */
const RENAMED = {
  hold_rest: "clamp_rest",
  hold_destination: "clamp_destination",
  hold_margin: "clamp_margin",
  hold_vacated: "clamp_hole",
  draft: "proxy",
  carried_start: "transported_start",
};

/** The browser's storage; null where the person has switched it off.
 * @returns {Storage | null} */
export function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

/** Saves the document, once nothing has changed for a while.
 * @param {App} app */
export function saveChanges(app) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  app.store.listen((state) => {
    clearTimeout(timer);
    if (state.session === null) return;
    const { history, pinned, session } = state;
    const text = JSON.stringify({ version: VERSION, session: session.session, doc: history.present, pinned: [...pinned] });
    timer = setTimeout(() => {
      try {
        browserStorage()?.setItem(KEY, text);
      } catch {
        // Full: the page works without.
      }
    }, 300);
  });
}

/** The document that was saved under this session, if the server still has its images.
 * @param {Session} session
 * @param {readonly EditKind[]} kinds  of edits that the server has
 * @param {{getItem: (key: string) => string | null} | null} [storage]
 * @returns {Saved} */
export function loadSaved(session, kinds, storage = browserStorage()) {
  const nothing = { doc: emptyDoc(), pinned: new Set(), note: "" };
  try {
    const value = JSON.parse(storage?.getItem(KEY) ?? "null");
    if (value?.session !== session.session) return nothing;
    const { version = 1 } = value;
    if (version > VERSION) return { ...nothing, note: "The last edits were saved by a newer version of this page and cannot be shown." };
    const saved = restoredDoc(version === 1 ? withNewNames(value.doc) : value.doc, kinds);
    const available = new Set((session.pictures ?? []).map(({ name }) => name));
    if (![...namesOf(saved.doc).images].every((name) => available.has(name))) return nothing;
    return { ...saved, pinned: new Set(value.pinned) };
  } catch {
    return nothing;
  }
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
