// The bar below the image: actions on the selected object, the tool's options, and actions on a result.

/**
 * @typedef {import("../model/state.js").App} App
 * @typedef {import("../model/state.js").State} State
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("../model/types.js").Job} Job
 */

import { brushFields } from "./brush_fields.js";
import { byName, h, iconButton, setText, wordButton } from "./dom.js";
import { beside, changeEdit, chosenEdit, clear, UNMOVED, workedOn } from "../model/document.js";
import { copySelection, eraseSelection, place } from "../model/edits.js";
import { effectButtons } from "./effects.js";
import { menu } from "./menu.js";
import { resizeSelection, selectSubject, takeOriginal } from "../gestures/actions.js";
import { sentences, shownJob } from "../model/state.js";
import { paintedWords } from "../model/status.js";
import { addFromSecondImage } from "./second_image.js";
import { downloadResult } from "./downloads.js";
import { compareWith, forget, goOn, pin, show } from "../net/running.js";

/** @param {App} app
 * @returns {(state: State) => void} */
export function makeContext(app) {
  const { store } = app;
  const bar = byName(app.root, "context");
  const hows = effectButtons((how) => store.set({ how: store.state.how === how ? "new" : how }));
  const segments = h("div", { class: "dd-effects", role: "group", "aria-label": "Effect of taps" }, ...hows.map(({ button }) => button));
  const brush = brushFields(app);
  const actions = {
    subject: wordButton("subject", "Select the subject", () => selectSubject(app), "dd-compact"),
    snap: wordButton("lasso", "Snap to edges", () => store.set({ snaps: !store.state.snaps }), "dd-compact"),
    smaller: wordButton("smaller", "Smaller", () => resizeSelection(app, -1), "dd-compact"),
    larger: wordButton("larger", "Larger", () => resizeSelection(app, 1), "dd-compact"),
    erase: wordButton("eraser", "Erase", () => store.push(eraseSelection(store.doc)), "dd-compact"),
    paste: wordButton("paste", "Paste from an image", () => void addFromSecondImage(app, "paste"), "dd-compact"),
    within: wordButton("drag", "Arrows only in here", () => store.push(limited(store.doc)), "dd-compact"),
  };
  const done = iconButton("close", "Nothing selected (Esc)", () => store.push(clear(store.doc)), "dd-plain");
  /** @type {Record<"copy" | "flip" | "appearance", [string, string, () => void]>} */
  const further = {
    copy: ["copy", "Copy", () => store.push(copySelection(store.doc))],
    flip: ["flip", "Flip", () => store.push(flipped(store.doc))],
    appearance: ["appearance", "Appearance", () => void addFromSecondImage(app, "appearance")],
  };
  const buttons = (/** @type {string} */ kind) => ({
    copy: wordButton(...further.copy, kind),
    flip: wordButton(...further.flip, kind),
    appearance: wordButton(...further.appearance, kind),
  });
  const [wide, folded] = [buttons("dd-compact dd-unfolded"), buttons("dd-item")];
  const more = menu("more", "More that can be done with the object", Object.values(folded), "More");
  more.classList.add("dd-folded"); // where there is room for one line of few
  bar.append(segments, ...brush.elements, ...Object.values(actions), ...Object.values(wide), more, done);
  return (state) => {
    const doc = state.history.present;
    const [edit, thing] = [chosenEdit(doc), workedOn(doc)];
    const isPlaced = edit?.kind === "move" || edit?.kind === "paste";
    bar.hidden = doc.picture === null || state.shown !== null;
    const paints = state.tool === "lasso" || state.tool === "brush";
    segments.hidden = thing === null || (state.tool !== "select" && !paints);
    for (const field of brush.elements) field.hidden = state.tool !== "brush" && state.tool !== "eraser";
    brush.update(state);
    actions.snap.hidden = state.tool !== "lasso" || state.session?.masks !== true;
    actions.snap.setAttribute("aria-pressed", String(state.snaps));
    for (const { how, button } of hows) button.setAttribute("aria-pressed", String(how === (paints && state.how === "new" ? "add" : state.how))); // what is painted is added
    const isFree = state.tool === "select" && thing !== null;
    actions.subject.hidden = thing !== null || edit !== null || state.tool !== "select" || state.session?.masks !== true;
    actions.smaller.hidden = actions.larger.hidden = !isFree || (beside(thing, -1) ?? beside(thing, 1)) === null;
    if (isFree) [actions.smaller.disabled, actions.larger.disabled] = [beside(thing, -1) === null, beside(thing, 1) === null];
    actions.erase.hidden = doc.selection === null && edit?.kind !== "move";
    for (const { copy, flip, appearance } of [wide, folded]) {
      copy.hidden = appearance.hidden = doc.selection === null;
      flip.hidden = doc.selection === null && !isPlaced;
    }
    more.hidden = doc.selection === null;
    wide.flip.classList.toggle("dd-unfolded", !more.hidden);
    actions.paste.hidden = thing !== null || edit !== null || state.tool !== "select";
    actions.within.hidden = doc.selection === null || !doc.edits.some((each) => each.kind === "drag" && each.selection === null);
    done.hidden = thing === null && edit === null;
    bar.classList.toggle("dd-bare", Array.from(bar.children).every((child) => /** @type {HTMLElement} */ (child).hidden));
  };
}

/** The selected or chosen object mirrored.
 * @param {Doc} doc
 * @returns {Doc} */
function flipped(doc) {
  const edit = chosenEdit(doc);
  const placing = edit !== null && "placing" in edit ? edit.placing : UNMOVED;
  return place(doc, { ...placing, flip: !placing.flip });
}

/** The arrows act within the selection only.
 * @param {Doc} doc
 * @returns {Doc} */
function limited(doc) {
  const arrows = doc.edits.find((edit) => edit.kind === "drag" && edit.selection === null);
  if (arrows === undefined || doc.selection === null) return doc;
  return { ...changeEdit(doc, arrows.id, { selection: doc.selection }), selection: null, chosen: arrows.id };
}

/** The bar of a result that is looked at.
 * @param {App} app
 * @returns {(state: State) => void} */
export function makeSplit(app) {
  const { store } = app;
  const bar = byName(app.root, "split");
  /** @param {(job: Job) => unknown} act */
  const withShown = (act) => () => {
    const job = shownJob(store.state);
    if (job !== undefined) act(job);
  };
  const [words, painted] = [h("span", {}), h("span", { class: "dd-also" })];
  const compare = wordButton("compare", "Before and after", () => compareWith(app, null), "dd-compact");
  const original = wordButton("brush", "Paint back", () => takeOriginal(app), "dd-compact");
  original.title = "Paint the original back where the result should not have changed it (O)";
  const keep = wordButton("pin", "Keep", withShown((job) => pin(app, job.id)), "dd-compact dd-also");
  const discard = wordButton("trash", "Discard", withShown((job) => void forget(app, job.id)), "dd-compact dd-also");
  const verdict = byName(app.root, "verdict");
  verdict.append(h("p", {}, words, painted));
  bar.append(
    compare,
    original,
    wordButton("download", "Download", withShown((job) => downloadResult(app, job)), "dd-compact dd-primary"),
    wordButton("next", "Continue from here", withShown((job) => void goOn(app, job)), "dd-compact"),
    keep,
    discard,
    wordButton("undo", "Back to the edits", () => show(app, null), "dd-compact"),
  );
  return (state) => {
    const job = shownJob(state);
    bar.hidden = job === undefined || state.tool === "original"; // that has a bar of its own
    const isKept = job !== undefined && state.pinned.has(job.id);
    keep.setAttribute("aria-pressed", String(isKept));
    discard.disabled = isKept;
    discard.title = isKept ? "It is kept" : "Delete this result";
    compare.setAttribute("aria-pressed", String(state.compares && state.rival === null));
    verdict.hidden = job?.report == null || state.compares;
    setText(words, sentences(job?.report?.words ?? ""));
    setText(painted, job === undefined ? "" : ` ${paintedWords(state.history.present, job.id)}`);
  };
}
