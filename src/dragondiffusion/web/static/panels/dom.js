// Making and updating elements.

import { icon } from "./icons.js";

/** @typedef {string | number | Node | null | undefined | false} Child */
/** @typedef {Record<string, unknown>} Attributes  "on" + event: a listener; false and null are left out */

/** An element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]} */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(typeof child === "number" ? String(child) : child);
  }
  return element;
}

/** A button with a drawing; its label is what it is called and its tooltip.
 * @param {string} drawing
 * @param {string} label
 * @param {(event: MouseEvent) => void} act
 * @param {string} [kind]  more classes
 * @returns {HTMLButtonElement} */
export function iconButton(drawing, label, act, kind = "") {
  const button = h("button", { type: "button", class: `dd-button dd-square ${kind}`, "aria-label": label, title: label }, icon(drawing));
  button.addEventListener("click", act);
  return button;
}

/** A button with a drawing and a short word below it, for bars.
 * @param {string} drawing
 * @param {string} label  what it is called and its tooltip; contains the word
 * @param {string} word
 * @param {(event: MouseEvent) => void} act
 * @param {string} [kind]
 * @returns {HTMLButtonElement} */
export function labelledButton(drawing, label, word, act, kind = "") {
  const button = iconButton(drawing, label, act, kind);
  button.classList.replace("dd-square", "dd-labelled");
  button.append(h("span", {}, word));
  return button;
}

/** A button with a drawing and words.
 * @param {string} drawing  empty for none
 * @param {string} words
 * @param {(event: MouseEvent) => void} act
 * @param {string} [kind]
 * @returns {HTMLButtonElement} */
export function wordButton(drawing, words, act, kind = "") {
  const button = h("button", { type: "button", class: `dd-button ${kind}` }, drawing !== "" && icon(drawing), h("span", {}, words));
  button.addEventListener("click", act);
  return button;
}

/** The part of the page of that name.
 * @param {ParentNode} root
 * @param {string} name  its data-dd
 * @returns {HTMLElement} */
export function byName(root, name) {
  const element = root.querySelector(`[data-dd="${name}"]`);
  if (!(element instanceof HTMLElement)) throw new Error(`The page has no part “${name}”.`);
  return element;
}

/** Makes the children of an element those of a list; elements of items that stay, stay, and keep the focus.
 * @template Item
 * @param {HTMLElement} parent
 * @param {readonly Item[]} items
 * @param {(item: Item) => string} key
 * @param {(item: Item) => HTMLElement} create
 * @param {(element: HTMLElement, item: Item) => void} [update] */
export function list(parent, items, key, create, update = () => undefined) {
  const focus = /** @type {HTMLElement | null} */ (document.activeElement);
  const old = new Map(Array.from(parent.children, (child) => [child.getAttribute("data-key"), /** @type {HTMLElement} */ (child)]));
  items.forEach((item, k) => {
    const name = key(item);
    const element = old.get(name) ?? create(item);
    old.delete(name);
    element.setAttribute("data-key", name);
    if (parent.children[k] !== element) parent.insertBefore(element, parent.children[k] ?? null);
    update(element, item);
  });
  for (const element of old.values()) element.remove();
  if (focus !== document.activeElement && parent.contains(focus)) focus?.focus({ preventScroll: true });
}

/** Sets what a field shows, unless somebody is typing in it.
 * @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} field
 * @param {string | number} value */
export function setValue(field, value) {
  if (field.value !== String(value) && document.activeElement !== field) field.value = String(value);
}

/** @param {Element} element
 * @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A dialog that closes by Escape, by its cross and, unless its attribute closedby is "closerequest", by a click beside it; removed when closed.
 * @param {HTMLElement} root  what it becomes a part of
 * @param {string} title
 * @param {...Child} children
 * @returns {HTMLDialogElement} */
export function dialog(root, title, ...children) {
  const box = h("dialog", { class: "dd-dialog", "aria-label": title });
  const cross = iconButton("close", "Close", () => box.close(), "dd-plain");
  const body = h("div", { class: "dd-dialog-body" }, ...children);
  if (body.querySelector("button, input, textarea") === null) body.tabIndex = 0; // keys scroll it
  box.append(h("div", { class: "dd-dialog-top" }, h("h2", { class: "dd-title" }, title), cross), body);
  box.addEventListener("click", ({ target }) => target === box && box.getAttribute("closedby") !== "closerequest" && box.close());
  box.addEventListener("close", () => box.remove());
  root.append(box);
  box.showModal();
  /** @type {HTMLElement | null} */ (box.querySelector(".dd-primary:not(:disabled)"))?.focus();
  return box;
}

/** Hands a file to the person.
 * @param {Blob} blob
 * @param {string} name */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
