// A kind of edit that the page does not know, as the server would describe it: a field of every kind.

/** @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").EditField} EditField */

/** @param {string} name
 * @param {EditField["control"]} control
 * @param {Partial<EditField>} [more]
 * @returns {EditField} */
function field(name, control, more = {}) {
  const title = name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
  return { name, title, help: `About ${name}.`, control, required: false, default: null, options: [], of: null, ...more };
}

/** @type {import("../../../src/dragondiffusion/web/static/model/types.js").EditKind} */
export const TINT = {
  name: "tint_all",
  title: "Tint all",
  help: "Tints an object.",
  fields: [
    field("mask", "mask", { required: true }),
    field("image", "image", { required: true }),
    field("reference_mask", "mask", { required: true, of: "image" }),
    field("amount", "number", { required: true }),
    field("hint", "mask"),
    field("times", "integer", { default: 3 }),
    field("softly", "switch", { default: true }),
    field("geometry", "choice", { default: "affine", options: ["affine", "centred"] }),
    field("label", "text", { default: "" }),
    field("at", "json", { default: [1, 2] }),
  ],
};
