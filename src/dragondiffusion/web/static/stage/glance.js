// What a click would select, while the mouse rests on it.

import { outlineOf, tint } from "./outlines.js";
import * as primitives from "./primitives.js";

/** @param {import("./drawing.js").Sheet} sheet @param {import("../gestures/interaction.js").Interaction} interaction */
export function drawGlance(sheet, { glance }) {
  if (glance === null) return;
  const { pen, theme } = sheet;
  tint(sheet, glance, theme.accent, 0.16);
  primitives.twoTone(pen, outlineOf(sheet, glance), theme.ink, theme.shade, 1.5);
}
