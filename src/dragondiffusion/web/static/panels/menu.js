// Menus: a button with a list of actions that opens beside it, always within the window.

import { h, iconButton, labelledButton } from "./dom.js";

/**
 * @typedef {{left: number, top: number, right: number, bottom: number}} Edges  CSS pixels
 * @typedef {{width: number, height: number}} Size
 */

/** CSS pixels between a menu and its button, and between it and the window's border. */
const [APART, MARGIN] = [6, 8];

/** Where a list opens: below its button, above it where there is more room, beside it where neither suffices.
 * @param {Edges} button
 * @param {Size} list
 * @param {Size} view  the window
 * @returns {{left: number, top: number}} */
export function placeOf(button, list, view) {
  const [most, lowest] = [Math.max(view.width - MARGIN - list.width, MARGIN), Math.max(view.height - MARGIN - list.height, MARGIN)];
  const left = Math.min(Math.max(button.left, MARGIN), most);
  if (button.bottom + APART <= lowest) return { left, top: button.bottom + APART };
  if (button.top - APART - list.height >= MARGIN) return { left, top: button.top - APART - list.height };
  const beside = button.right + APART <= most ? button.right + APART : button.left - APART - list.width;
  return { left: Math.min(Math.max(beside, MARGIN), most), top: Math.min(Math.max(button.top, MARGIN), lowest) };
}

/** A button with a list of actions.
 * @param {string} drawing
 * @param {string} label
 * @param {HTMLButtonElement[]} items
 * @param {string} [word]  that stands below the drawing
 * @returns {HTMLElement} */
export function menu(drawing, label, items, word = "") {
  const list = h("div", { class: "dd-menu-list", role: "menu", "aria-label": label, popover: "manual" }, ...items);
  const toggle = () => (isOpen() ? close() : open());
  const button = word === "" ? iconButton(drawing, label, toggle) : labelledButton(drawing, label, word, toggle);
  const element = h("div", { class: "dd-menu" }, button, list);
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  for (const item of items) item.setAttribute("role", "menuitem");
  let elsewhere = new AbortController();

  function isOpen() {
    return list.matches(":popover-open");
  }

  function open() {
    list.showPopover();
    button.setAttribute("aria-expanded", "true");
    const view = { width: window.innerWidth, height: window.innerHeight };
    const { left, top } = placeOf(button.getBoundingClientRect(), list.getBoundingClientRect(), view);
    Object.assign(list.style, { left: `${left}px`, top: `${top}px` });
    items.find((item) => !item.disabled)?.focus();
    elsewhere = new AbortController();
    const options = { signal: elsewhere.signal, capture: true };
    window.addEventListener("resize", close, options);
    document.addEventListener("pointerdown", ({ target }) => target instanceof Node && !element.contains(target) && close(), options);
  }

  function close() {
    elsewhere.abort();
    if (isOpen()) list.hidePopover();
    button.setAttribute("aria-expanded", "false");
  }

  element.addEventListener("focusout", ({ relatedTarget }) => relatedTarget instanceof Node && !element.contains(relatedTarget) && close());
  list.addEventListener("click", close);
  element.addEventListener("keydown", (event) => {
    if (!isOpen()) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
      button.focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const usable = items.filter((item) => !item.disabled);
    const at = usable.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    usable[(at + step + usable.length) % usable.length]?.focus();
  });
  return element;
}
