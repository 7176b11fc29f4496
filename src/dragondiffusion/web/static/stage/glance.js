// What a click would select, while the mouse rests on it.

import * as primitives from "./primitives.js";

/** @param {import("./drawing.js").Sheet} sheet @param {import("../gestures/interaction.js").Interaction} interaction */
export function drawGlance({ pen, viewport, theme }, { glance }) {
  if (glance === null) return;
  const { zoom, pan } = viewport;
  const [x0, y0, x1, y1] = glance.box;
  const [left, top] = viewport.toScreen([x0, y0]);
  pen.globalAlpha = 0.16;
  pen.drawImage(glance.tint(theme.accent), left, top, (x1 - x0) * zoom, (y1 - y0) * zoom);
  pen.globalAlpha = 1;
  const path = new Path2D();
  path.addPath(glance.path, new DOMMatrix([zoom, 0, 0, zoom, ...pan]));
  primitives.twoTone(pen, path, theme.ink, theme.shade, 1.5);
}
