// The page: makes its parts, starts the session, and updates the parts after each change.

/**
 * @typedef {import("./model/state.js").App} App
 * @typedef {import("./net/http.js").Session} Session
 */

import { Client, isFinished } from "./net/client.js";
import { makeContext, makeSplit } from "./panels/context_bar.js";
import { emptyDoc } from "./model/document.js";
import { byName } from "./panels/dom.js";
import { stageEvents } from "./gestures/actions.js";
import { makeEdits } from "./panels/edit_list.js";
import { begin } from "./model/history.js";
import { loadSaved, saveChanges } from "./model/persistence.js";
import { loadKept, withPainted } from "./model/shared.js";
import { listenForKeys, showKeys } from "./panels/shortcuts.js";
import { sceneOf } from "./stage/shown_scene.js";
import { tellOnLongPress } from "./panels/long_press.js";
import { makeNotices } from "./panels/notices.js";
import { listenForFiles, openFile, openScene, restoreFile } from "./net/opening.js";
import { listenForOtherTabs } from "./net/other_tabs.js";
import { Previews } from "./net/previewing.js";
import { makeOriginalBar } from "./panels/original_bar.js";
import { makeProgress } from "./panels/progress.js";
import { makeSpoken } from "./panels/spoken.js";
import { makeStageNotes } from "./panels/stage_notes.js";
import { makeTapHint } from "./panels/tap_hint.js";
import { makeResults } from "./panels/results.js";
import { follow } from "./net/running.js";
import { makeSettings } from "./panels/settings.js";
import { watchCovers } from "./panels/covers.js";
import { makeSheets } from "./panels/sheets.js";
import { Stage } from "./stage/stage.js";
import { firstState, Store, words } from "./model/state.js";
import { browserStorage, isOnlyTab, tabStorage } from "./model/tab.js";
import { makeToolbar, makeTools } from "./panels/toolbar.js";
import { Views } from "./net/views.js";

/** Seed of the drawn scene that newcomers see. */
const FIRST_SCENE = 57;

/** Milliseconds until a server that did not answer is asked again. */
const AGAIN = 4000;

/** Makes the page within an element that holds page.html.
 * @param {HTMLElement} element
 * @param {string} base  where the server is, with a slash at its end
 * @returns {App} */
export function mount(element, base) {
  const store = new Store(firstState(), (run) => requestAnimationFrame(run));
  const client = new Client(base, { storage: tabStorage() });
  const views = new Views(client, () => store.set({}));
  /** @type {App} */
  const app = { store, client, views, root: byName(element, "app"), stage: null };
  const stage = (app.stage = new Stage(byName(element, "stage"), stageEvents(app)));
  const previews = new Previews(app);
  const parts = [
    makeToolbar(app, stage, () => showKeys(app)),
    makeTools(app),
    makeContext(app),
    makeSplit(app),
    makeOriginalBar(app),
    makeEdits(app),
    makeSettings(app),
    makeResults(app),
    makeProgress(app),
    makeNotices(app),
    makeStageNotes(app),
    makeSpoken(app),
    makeTapHint(app, stage),
    makeSheets(app),
  ];
  store.listen((state) => {
    parts.forEach((update) => update(state));
    stage.show(sceneOf(state, views));
    previews.follow();
  });
  watchCovers(app, stage);
  listen(app, stage);
  void start(app);
  return app;
}

/** @param {App} app
 * @param {Stage} stage */
function listen(app, stage) {
  byName(app.root, "skip").addEventListener("click", () => stage.canvas.focus({ preventScroll: true }));
  tellOnLongPress(app.root);
  listenForFiles(app);
  listenForOtherTabs(app);
  listenForKeys(app, stage);
  onFile(app, "file", (file) => void openFile(app, file));
  onFile(app, "restore-file", (file) => void restoreFile(app, file));
  app.client.onRenewed = (session) => {
    const history = begin(emptyDoc(app.store.doc.choices));
    app.store.set({ session, jobs: [], history, looked: null, watched: null, preview: null, live: null });
    app.store.say("The server was restarted or this page was idle for long; open the image again.");
  };
  app.client.onAway = (away) => {
    app.store.set({ away });
    if (!away) app.store.say("The server is there again.");
  };
  saveChanges(app);
}

/** @param {App} app
 * @param {string} name
 * @param {(file: File) => void} act */
function onFile(app, name, act) {
  const input = /** @type {HTMLInputElement} */ (byName(app.root, name));
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    input.value = "";
    if (file !== undefined) act(file);
  });
}

/** Starts or resumes the session; for a newcomer to the demo model, a drawn scene. Beside another tab the page begins without an image.
 * @param {App} app
 * @param {Promise<boolean>} only  whether no other tab is open */
async function start(app, only = isOnlyTab()) {
  const { store } = app;
  try {
    const own = (await only) ? tabStorage() : browserStorage("sessionStorage");
    const [session, kinds] = [await app.client.session(), await app.client.editKinds()];
    const { history: saved, watched, note } = loadSaved(session, kinds, own);
    const common = browserStorage("localStorage");
    const history = withPainted(saved, session, common);
    const jobs = session.jobs ?? [];
    const running = jobs.filter((job) => !isFinished(job) || job.id === watched); // one that ended meanwhile is still awaited
    const isWatched = running.some(({ id }) => id === watched);
    store.set({ session, kinds, history, pinned: loadKept(session, common), jobs, watched: isWatched ? watched : null, ready: true, error: null });
    store.say(note);
    for (const { id } of running) void follow(app, id, id === watched ? store.doc : null);
    const isNew = (session.pictures ?? []).length === 0;
    if (isNew && session.demo) {
      await openScene(app, "move", FIRST_SCENE);
      store.set({ history: begin(store.doc) });
    }
    app.root.dataset.ready = "true";
  } catch (error) {
    store.set({ error: words(error) });
    setTimeout(() => void start(app, only), AGAIN);
  }
}
