// The preview: the rough edit that the server shows at once, asked for whenever the edits have changed.

/** @typedef {import("../model/state.js").App} App */

import { isAbort } from "./http.js";
import { toRecipe } from "../model/recipe.js";
import { problems } from "../model/problems.js";
import { words } from "../model/state.js";

const DELAY = 40;

/** Gestures of the pointer: the preview follows at their end. Typing is previewed as it goes. */
const UNTIL_RELEASE = new Set(["place", "arrows", "landmarks"]);

export class Previews {
  #app;
  #asked = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
  }

  /** Looks at the document after a change. While a gesture runs nothing is asked, and an old preview goes away. */
  follow() {
    const { store, client } = this.#app;
    const { history, shown } = store.state;
    if (shown !== null) return; // the preview waits behind the result
    const key = previewKey(history.present);
    if (key === this.#asked) return;
    if (key !== "" && UNTIL_RELEASE.has(history.gesture ?? "")) {
      if (store.state.preview !== null || store.state.refusal !== null) store.set({ preview: null, refusal: null });
      this.#asked = "";
      return;
    }
    this.#asked = key;
    clearTimeout(this.#timer);
    client.abortPreview();
    if (store.state.refusal !== null) store.set({ refusal: null });
    if (key === "") return store.set({ preview: null });
    this.#timer = setTimeout(() => void this.#ask(key), DELAY);
  }

  /** @param {string} key */
  async #ask(key) {
    const { store, client } = this.#app;
    if (problems(store.doc).length > 0) return store.set({ preview: null });
    try {
      const { image, box } = await client.preview(toRecipe(store.doc));
      const preview = { image: await createImageBitmap(image), box: box ?? whole(store.doc) };
      if (key !== this.#asked) return;
      store.set({ preview });
    } catch (error) {
      if (isAbort(error) || key !== this.#asked) return;
      store.set({ preview: null, refusal: words(error) });
    }
  }
}

/** @param {import("../model/types.js").Doc} doc
 * @returns {import("../model/types.js").Box} */
export function whole({ picture }) {
  return [0, 0, picture?.width ?? 0, picture?.height ?? 0];
}

/** The key of a preview: all that it depends on; empty where there is nothing to preview.
 * @param {import("../model/types.js").Doc} doc
 * @returns {string} */
export function previewKey(doc) {
  if (doc.picture === null) return "";
  const { image, edits } = toRecipe(doc);
  return edits.length === 0 ? "" : JSON.stringify([image, edits]);
}
