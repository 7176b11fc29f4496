// Effects of taps: what a tap does to what is selected, chosen without keys.

import { wordButton } from "./dom.js";

/** Effects of taps other than to select anew; each label begins with the word on the button.
 * @type {["add" | "remove", string, string, string][]} */
const HOWS = [
  ["add", "plus", "Add", "Add: taps add to the selection (Shift)"],
  ["remove", "minus", "Less", "Less: taps take away from the selection (Alt)"],
];

/** Buttons for the effects of taps.
 * @param {(how: "add" | "remove") => void} act
 * @returns {{how: "add" | "remove", button: HTMLButtonElement}[]} */
export function effectButtons(act) {
  return HOWS.map(([how, drawing, word, label]) => {
    const button = wordButton(drawing, word, () => act(how), "dd-compact");
    button.setAttribute("aria-label", label);
    button.title = label;
    return { how, button };
  });
}
