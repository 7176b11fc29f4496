// Storage of one tab: each tab keeps a document of its own, and the next one that is opened begins with the last.

/** @typedef {{getItem: (key: string) => string | null, setItem: (key: string, value: string) => void}} Storage */

/** Every tab holds this lock, together with the others. */
const LOCK = "dragondiffusion-tab";

/** A storage that a reload finds again, and no other tab changes. What is not in it yet is as the last tab left it.
 * @param {Storage | null} [own]  of the tab
 * @param {Storage | null} [common]  of all tabs
 * @returns {Storage} */
export function tabStorage(own = browserStorage("sessionStorage"), common = browserStorage("localStorage")) {
  return {
    getItem: (key) => own?.getItem(key) ?? common?.getItem(key) ?? null,
    setItem(key, value) {
      own?.setItem(key, value);
      common?.setItem(key, value);
    },
  };
}

/** The browser's storage; null where the person has switched it off.
 * @param {"sessionStorage" | "localStorage"} name
 * @returns {Storage | null} */
export function browserStorage(name) {
  try {
    return globalThis[name] ?? null;
  } catch {
    return null;
  }
}

/** Whether no other tab with the page is open. Where the browser cannot tell, none is.
 * @param {LockManager | undefined} [locks]
 * @returns {Promise<boolean>} */
export async function isOnlyTab(locks = globalThis.navigator?.locks) {
  if (locks === undefined) return true;
  const { held = [] } = await locks.query();
  void locks.request(LOCK, { mode: "shared" }, () => new Promise(() => undefined)); // until the tab is closed
  return !held.some(({ name }) => name === LOCK);
}
