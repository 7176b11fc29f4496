// What the tabs of a session have in common: results that are kept, and where the input is painted back into results.

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./history.js").History} History
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./tab.js").Storage} Storage
 * @typedef {import("../net/http.js").Session} Session
 */

import { changed } from "./history.js";

export const KEPT = "dragondiffusion-kept";
export const PAINTED = "dragondiffusion-painted";

/** Where results that are kept were until version 2 of what is stored, with the document. */
const OLDER = "dragondiffusion-page";

/** @param {State} state
 * @param {Storage | null} storage */
export function saveShared({ session, pinned, history }, storage) {
  /** @param {string} key
   * @param {object} value */
  const save = (key, value) => {
    try {
      const text = JSON.stringify({ session: session?.session, ...value });
      if (storage?.getItem(key) !== text) storage?.setItem(key, text);
    } catch {
      // Full.
    }
  };
  save(KEPT, { jobs: [...pinned] });
  save(PAINTED, { backs: history.present.backs });
}

/** What was saved, of this session; an empty object where there is nothing.
 * @param {Session} session
 * @param {string | null} text
 * @returns {any} */
function read(session, text) {
  try {
    const value = JSON.parse(text ?? "null");
    return value?.session === session.session ? value : {};
  } catch {
    return {};
  }
}

/** Results that are kept.
 * @param {Session} session
 * @param {Storage | null} storage
 * @returns {Set<string>} */
export function loadKept(session, storage) {
  const { jobs, pinned = [] } = read(session, storage?.getItem(KEPT) ?? storage?.getItem(OLDER) ?? null);
  return new Set(jobs ?? pinned);
}

/** A history with what is painted back into results as any tab did last; its own where nothing is known of that.
 * @param {History} history
 * @param {Session} session
 * @param {Storage | null} storage
 * @returns {History} */
export function withPainted(history, session, storage) {
  const { backs } = read(session, storage?.getItem(PAINTED) ?? null);
  return backs === undefined ? history : repainted(history, history.present.backs, backs);
}

/** A history after another tab painted the input back: in all documents, so that undo does not take back what was done elsewhere.
 * @param {History} history
 * @param {Session} session
 * @param {string | null} before  what was saved
 * @param {string | null} now
 * @returns {History} */
export function afterOtherTab(history, session, before, now) {
  const [old, { backs }] = [read(session, before), read(session, now)];
  return backs === undefined ? history : repainted(history, old.backs ?? {}, backs);
}

/** @param {History} history
 * @param {Doc["backs"]} before
 * @param {Doc["backs"]} now
 * @returns {History} */
function repainted(history, before, now) {
  const jobs = Object.keys({ ...before, ...now }).filter((job) => before[job]?.name !== now[job]?.name);
  if (jobs.every((job) => history.present.backs[job]?.name === now[job]?.name)) return history;
  return changed(history, (doc) => {
    const backs = { ...doc.backs };
    for (const job of jobs) {
      const mask = now[job];
      if (mask === undefined) delete backs[job];
      else backs[job] = mask;
    }
    return { ...doc, backs };
  }, history.present);
}
