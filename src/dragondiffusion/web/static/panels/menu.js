// Menus: a button with a list of actions that opens below it.

import { h, iconButton } from "./dom.js";

/** A button with a list of actions that opens below it.
 * @param {string} drawing
 * @param {string} label
 * @param {HTMLButtonElement[]} items
 * @returns {HTMLElement} */
export function menu(drawing, label, items) {
  const list = h("div", { class: "dd-menu-list", role: "menu", "aria-label": label, hidden: true }, ...items);
  const button = iconButton(drawing, label, () => open(list.hidden));
  const element = h("div", { class: "dd-menu" }, button, list);
  button.setAttribute("aria-haspopup", "menu");
  for (const item of items) item.setAttribute("role", "menuitem");
  /** @param {boolean} isOpen */
  function open(isOpen) {
    list.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) items.find((item) => !item.disabled)?.focus();
  }
  element.addEventListener("focusout", (event) => {
    if (!(event.relatedTarget instanceof Node) || !element.contains(event.relatedTarget)) open(false);
  });
  list.addEventListener("click", () => open(false));
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      open(false);
      button.focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || list.hidden) return;
    event.preventDefault();
    const usable = items.filter((item) => !item.disabled);
    const at = usable.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    usable[(at + step + usable.length) % usable.length]?.focus();
  });
  return element;
}
