// Long presses: a finger that rests on a button is told what the button is called, as a mouse that hovers; the button does not act.

import { h } from "./dom.js";

/** Milliseconds until a press is a long one, and for which the name stays after it. */
const [LONG, STAYS] = [500, 1500];

/** CSS pixels that a resting finger may shake, and between a button and its name. */
const [SHAKE, APART] = [10, 8];

/** Shows names of buttons in an element, also of those in its dialogs and menus.
 * @param {HTMLElement} root */
export function tellOnLongPress(root) {
  const tip = h("div", { class: "dd-tip", role: "tooltip", popover: "manual" });
  let [waiting, leaving] = [0, 0];
  /** @type {{button: HTMLElement, x: number, y: number} | null} */
  let pressed = null;
  let told = false; // since the finger came down
  root.append(tip);

  /** @param {HTMLElement} button */
  function tell(button) {
    told = true;
    tip.textContent = button.title || button.getAttribute("aria-label");
    tip.showPopover(); // over dialogs
    const [{ left, top, bottom, width }, size] = [button.getBoundingClientRect(), tip.getBoundingClientRect()];
    const x = Math.min(Math.max(left + (width - size.width) / 2, APART), window.innerWidth - APART - size.width);
    const above = top - APART - size.height;
    Object.assign(tip.style, { left: `${x}px`, top: `${above >= APART ? above : bottom + APART}px` });
  }

  function leave() {
    clearTimeout(leaving);
    if (tip.matches(":popover-open")) tip.hidePopover();
  }

  function release() {
    clearTimeout(waiting);
    pressed = null;
    if (told) leaving = window.setTimeout(leave, STAYS);
  }

  root.addEventListener("pointerdown", ({ target, pointerType, clientX: x, clientY: y }) => {
    leave();
    release();
    told = false;
    const button = target instanceof Element ? target.closest("button") : null;
    if (pointerType !== "touch" || button === null || (button.title === "" && !button.hasAttribute("aria-label"))) return;
    pressed = { button, x, y };
    waiting = window.setTimeout(() => tell(button), LONG);
  }, { capture: true });
  root.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (pressed !== null && Math.hypot(clientX - pressed.x, clientY - pressed.y) > SHAKE) release();
  }, { capture: true });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) root.addEventListener(name, release, { capture: true });
  root.addEventListener("contextmenu", (event) => pressed !== null && event.preventDefault(), { capture: true });
  root.addEventListener("click", (event) => {
    if (!told || event.detail === 0) return; // 0: by a key
    told = false;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}
