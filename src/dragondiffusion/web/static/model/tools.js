// Tools that fit what is worked on.

/**
 * @typedef {import("./types.js").Doc} Doc
 * @typedef {import("./types.js").Tool} Tool
 */

import { chosenEdit, workedOn } from "./document.js";

/** The tool after a change: when another edit is chosen, one that can work on it.
 * @param {Tool} tool  that is taken
 * @param {Doc} before
 * @param {Doc} doc
 * @returns {Tool} */
export function fittingTool(tool, before, doc) {
  const edit = chosenEdit(doc);
  if (edit === null || (edit.id === before.chosen && edit.kind === chosenEdit(before)?.kind)) return tool;
  if (edit.kind === "drag" || edit.kind === "landmarks") return edit.kind;
  const isForSelections = tool === "brush" || tool === "eraser" || tool === "lasso";
  return isForSelections && workedOn(doc) !== null ? tool : "select";
}
