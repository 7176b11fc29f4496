// What outlives a reload of the page: the document and which results are kept, in the browser's store.

/**
 * @typedef {import("./state.js").App} App
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("../net/client.js").Session} Session
 */

import { CHOICES, emptyDoc, namesOf } from "./document.js";

const KEY = "dragondiffusion-page";

/** The browser's store; null where the person has switched it off.
 * @returns {Storage | null} */
export function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

/** Keeps the document, once nothing has changed for a while.
 * @param {App} app */
export function saveChanges(app) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  app.store.listen((state) => {
    clearTimeout(timer);
    if (state.session === null) return;
    const text = JSON.stringify({ session: state.session.session, doc: state.history.present, pinned: [...state.pinned] });
    timer = setTimeout(() => {
      try {
        browserStorage()?.setItem(KEY, text);
      } catch {
        // Full: the page works without.
      }
    }, 300);
  });
}

/** What was kept under this session; the server must still have its pictures.
 * @param {Session} session
 * @returns {{doc: Doc, pinned: Set<string>}} */
export function loadSaved(session) {
  const nothing = { doc: emptyDoc(), pinned: new Set() };
  try {
    const value = JSON.parse(browserStorage()?.getItem(KEY) ?? "null");
    if (value?.session !== session.session) return nothing;
    /** @type {Doc} */
    const doc = { ...emptyDoc(), ...value.doc, choices: { ...CHOICES, ...value.doc.choices } };
    const known = new Set((session.pictures ?? []).map(({ name }) => name));
    const isWhole = [...namesOf(doc).images].every((name) => known.has(name));
    return isWhole ? { doc, pinned: new Set(value.pinned) } : nothing;
  } catch {
    return nothing;
  }
}
