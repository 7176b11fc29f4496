// Kinds of edits, as the server describes them; and edits of those kinds that the page has no gesture for.

/**
 * @typedef {import("./types.js").Edit} Edit
 * @typedef {import("./types.js").EditField} EditField
 * @typedef {import("./types.js").EditKind} EditKind
 * @typedef {import("./types.js").FormEdit} FormEdit
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Recipe} Recipe
 * @typedef {import("./types.js").Selection} Selection
 */

/** Whether the page has gestures for a kind of edit; all other kinds are set by a form.
 * @type {ReadonlySet<string>} */
export const WITH_GESTURES = new Set(["move", "remove", "paste", "appearance", "drag", "landmarks"]);

/** The name of an edit's kind in recipes.
 * @param {Edit} edit
 * @returns {string} */
export function kindOf(edit) {
  return edit.kind === "form" ? edit.spec.name : edit.kind;
}

/** The title of an edit's kind.
 * @param {Edit} edit
 * @param {readonly EditKind[]} kinds
 * @returns {string} */
export function titleOf(edit, kinds) {
  const name = kindOf(edit);
  return kinds.find((kind) => kind.name === name)?.title ?? name;
}

/** The field that an edit's selection is the mask of: its first mask on the edited image.
 * @param {EditKind} spec
 * @returns {EditField | undefined} */
export function selectionField(spec) {
  return spec.fields.find(({ control, of }) => control === "mask" && of === null);
}

/** A new edit of a kind that is set by a form.
 * @param {EditKind} spec
 * @param {Selection | null} selection
 * @returns {Omit<FormEdit, "id" | "hidden">} */
export function newFormEdit(spec, selection) {
  const own = selectionField(spec) === undefined ? null : selection;
  return { kind: "form", spec, selection: own, images: {}, masks: {}, values: {} };
}

/** The mask of a field, if it is set.
 * @param {FormEdit} edit
 * @param {EditField} field
 * @returns {Selection | null} */
export function maskOf(edit, field) {
  return field.name === selectionField(edit.spec)?.name ? edit.selection : (edit.masks[field.name] ?? null);
}

/** The changes of an edit when a field is set; undefined puts the default back.
 * @param {FormEdit} edit
 * @param {EditField} field
 * @param {any} value  a selection, an image, or JSON
 * @returns {Partial<FormEdit>} */
export function withField(edit, field, value) {
  if (field.name === selectionField(edit.spec)?.name) return { selection: value ?? null };
  if (field.control === "mask") return { masks: replaced(edit.masks, field.name, value) };
  if (field.control !== "image") return { values: replaced(edit.values, field.name, value) };
  const within = edit.spec.fields.filter(({ of }) => of === field.name).map(({ name }) => name);
  const masks = Object.fromEntries(Object.entries(edit.masks).filter(([name]) => !within.includes(name)));
  return { images: replaced(edit.images, field.name, value), masks };
}

/** @template T
 * @param {Record<string, T>} record
 * @param {string} name
 * @param {T | undefined} value
 * @returns {Record<string, T>} */
function replaced(record, name, value) {
  const { [name]: _old, ...rest } = record;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** Required fields that are not set.
 * @param {FormEdit} edit
 * @returns {EditField[]} */
export function missingFields(edit) {
  return edit.spec.fields.filter((field) => {
    if (!field.required) return false;
    if (field.control === "mask") return maskOf(edit, field) === null;
    return (field.control === "image" ? edit.images : edit.values)[field.name] === undefined;
  });
}

/** @param {FormEdit} edit
 * @returns {Recipe} */
export function formToRecipe(edit) {
  const { spec, selection, images, masks, values } = edit;
  const own = selectionField(spec);
  return {
    edit: spec.name,
    ...(own === undefined || selection === null ? {} : { [own.name]: selection.mask.name }),
    ...Object.fromEntries(Object.entries(images).map(([name, { name: file }]) => [name, file])),
    ...Object.fromEntries(Object.entries(masks).map(([name, { mask }]) => [name, mask.name])),
    ...values,
  };
}

/** @param {Recipe} edit  of a recipe
 * @param {EditKind} spec
 * @param {(name: string) => Picture} pictureOf
 * @param {(name: string) => Selection} selectionOf
 * @returns {Omit<FormEdit, "id" | "hidden">} */
export function formFromRecipe(edit, spec, pictureOf, selectionOf) {
  const empty = /** @type {FormEdit} */ ({ ...newFormEdit(spec, null), id: 0, hidden: false });
  const { id: _id, hidden: _hidden, ...made } = spec.fields.reduce((form, field) => {
    const value = edit[field.name] ?? undefined;
    if (value === undefined) return form;
    const read = { mask: selectionOf, image: pictureOf }[/** @type {string} */ (field.control)];
    return { ...form, ...withField(form, field, read === undefined ? value : read(value)) };
  }, empty);
  return made;
}
