// A round glass that shows what a finger hides.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("./drawing.js").Sheet} Sheet
 */

/** CSS pixels. */
const [RADIUS, MARGIN] = [54, 12];

/** How much larger than on the stage. */
const POWER = 2;

/** @param {Sheet} sheet @param {import("./scene.js").Scene} scene @param {import("../gestures/interaction.js").Interaction} interaction */
export function drawLoupe({ pen, ratio, viewport, theme }, scene, { finger }) {
  const image = scene.doc.picture && scene.images.get(scene.doc.picture.name);
  if (!finger || !image) return;
  const [x, y] = viewport.toScreen(finger);
  const near = x < 3 * RADIUS && y < 3 * RADIUS; // then at the other side
  const at = /** @type {Point} */ ([near ? viewport.view.width - RADIUS - MARGIN : RADIUS + MARGIN, RADIUS + MARGIN]);
  const zoom = viewport.zoom * POWER;
  pen.save();
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.beginPath();
  pen.arc(at[0], at[1], RADIUS, 0, 2 * Math.PI);
  pen.save();
  pen.clip();
  pen.fillStyle = theme.backdrop;
  pen.fillRect(at[0] - RADIUS, at[1] - RADIUS, 2 * RADIUS, 2 * RADIUS);
  const { width, height } = viewport.picture;
  pen.drawImage(image, at[0] - zoom * finger[0], at[1] - zoom * finger[1], zoom * width, zoom * height);
  pen.restore();
  pen.lineWidth = 4;
  pen.strokeStyle = theme.shade;
  pen.stroke();
  pen.lineWidth = 2;
  pen.strokeStyle = theme.ink;
  pen.stroke();
  drawCross(pen, at, theme);
  pen.restore();
}

/** @param {CanvasRenderingContext2D} pen @param {Point} at @param {import("./primitives.js").Theme} theme */
function drawCross(pen, [x, y], theme) {
  for (const [colour, width] of /** @type {[string, number][]} */ ([[theme.shade, 3.5], [theme.accent, 1.5]])) {
    pen.beginPath();
    pen.moveTo(x - 9, y);
    pen.lineTo(x + 9, y);
    pen.moveTo(x, y - 9);
    pen.lineTo(x, y + 9);
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }
}
