// Lines, handles, arrows and other small shapes that are drawn over an image, in CSS pixels.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Box} Box
 * @typedef {import("../model/geometry.js").Quad} Quad
 * @typedef {import("../model/geometry.js").Handle} Handle
 * @typedef {CanvasRenderingContext2D} Pen
 *
 * @typedef {object} Theme  Colours, from the page's CSS.
 * @property {string} accent
 * @property {string} danger
 * @property {string} ink  of lines and handles
 * @property {string} shade  under lines, and over the place an object leaves
 * @property {string} backdrop
 * @property {string} checker
 */
import { bearing, distance, middle } from "../model/geometry.js";

const FONT = "600 12px system-ui, sans-serif";

const THEME = {
  accent: "#4c9dff",
  danger: "#ff5d5d",
  ink: "#ffffff",
  shade: "rgba(0, 0, 0, 0.6)",
  backdrop: "#1b1c1f",
  checker: "#26272b",
};

/** Colours of the custom properties --dd-accent, --dd-danger, ... of an element. @param {Element} element @returns {Theme} */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const colours = Object.entries(THEME).map(([name, usual]) => [name, style.getPropertyValue(`--dd-${name}`).trim() || usual]);
  return Object.fromEntries(colours);
}

/** A line that is seen on every ground. @param {Pen} pen @param {Path2D} path @param {string} colour @param {string} shade @param {number} width */
export function twoTone(pen, path, colour, shade, width) {
  pen.lineJoin = pen.lineCap = "round";
  pen.strokeStyle = shade;
  pen.lineWidth = width + 1.5;
  pen.stroke(path);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(path);
}

/** Dashes that walk along a line. @param {Pen} pen @param {Path2D} path @param {Theme} theme @param {number} phase CSS pixels, in steps of 10 the same */
export function ants(pen, path, theme, phase) {
  pen.save();
  pen.lineJoin = "round";
  pen.lineWidth = 3.5;
  pen.strokeStyle = theme.shade;
  pen.stroke(path);
  pen.lineWidth = 2;
  pen.strokeStyle = theme.accent;
  pen.stroke(path);
  pen.setLineDash([5, 5]);
  pen.lineDashOffset = -phase;
  pen.strokeStyle = theme.ink;
  pen.stroke(path);
  pen.restore();
}

/** The frame of an object and its handles. @param {Pen} pen @param {Quad} quad @param {Handle[]} handles @param {Theme} theme @param {boolean} coarse */
export function frame(pen, quad, handles, theme, coarse) {
  const outline = new Path2D();
  for (const p of quad) outline.lineTo(p[0], p[1]);
  outline.closePath();
  const rotate = handles[4].at;
  const foot = nearestMiddle(quad, rotate);
  outline.moveTo(foot[0], foot[1]);
  outline.lineTo(rotate[0], rotate[1]);
  twoTone(pen, outline, theme.ink, theme.shade, 1.25);
  for (const { name, at } of handles) {
    if (name === "rotate") rotateKnob(pen, at, theme, coarse ? 11 : 9);
    else dot(pen, at, coarse ? 6.5 : 5.5, theme.ink, theme.accent, 2, theme.shade);
  }
}

/** @param {Quad} quad @param {Point} point @returns {Point} */
function nearestMiddle(quad, point) {
  const sides = quad.map((p, k) => middle(p, quad[(k + 1) % 4]));
  return sides.reduce((best, side) => (distance(side, point) < distance(best, point) ? side : best));
}

/** A filled circle with a rim. @param {Pen} pen @param {Point} at @param {number} radius @param {string} fill @param {string} rim @param {number} width @param {string} shade */
export function dot(pen, at, radius, fill, rim, width, shade) {
  pen.beginPath();
  pen.arc(at[0], at[1], radius, 0, 2 * Math.PI);
  pen.lineWidth = width + 2;
  pen.strokeStyle = shade;
  pen.stroke();
  pen.fillStyle = fill;
  pen.fill();
  pen.lineWidth = width;
  pen.strokeStyle = rim;
  pen.stroke();
}

/** A round knob with an arrow in a circle. @param {Pen} pen @param {Point} at @param {Theme} theme @param {number} radius */
function rotateKnob(pen, at, theme, radius) {
  dot(pen, at, radius, theme.accent, theme.ink, 1.5, theme.shade);
  const [r, from, to] = [radius * 0.48, -0.25 * Math.PI, 1.25 * Math.PI];
  pen.beginPath();
  pen.arc(at[0], at[1], r, from, to);
  pen.lineWidth = 1.5;
  pen.strokeStyle = theme.ink;
  pen.stroke();
  const tip = /** @type {Point} */ ([at[0] + r * Math.cos(from), at[1] + r * Math.sin(from)]);
  triangle(pen, tip, [-0.7, -0.7], 3.2, theme.ink);
}

/** @param {Pen} pen @param {Point} tip @param {Point} direction of length 1 @param {number} size @param {string} colour */
function triangle(pen, [x, y], [u, v], size, colour) {
  pen.beginPath();
  pen.moveTo(x + u * size, y + v * size);
  pen.lineTo(x - v * size, y + u * size);
  pen.lineTo(x + v * size, y - u * size);
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
}

/** An arrow from a ring to a head. @param {Pen} pen @param {Point} tail @param {Point} tip @param {Theme} theme @param {{colour: string, focused: boolean}} look */
export function arrow(pen, tail, tip, theme, { colour, focused }) {
  const angle = (-bearing(tail, tip) * Math.PI) / 180;
  const [u, v] = [Math.cos(angle), Math.sin(angle)];
  const long = Math.hypot(tip[0] - tail[0], tip[1] - tail[1]) > 10;
  const path = new Path2D();
  if (long) {
    path.moveTo(tail[0] + 5 * u, tail[1] + 5 * v);
    path.lineTo(tip[0] - 8 * u, tip[1] - 8 * v);
    twoTone(pen, path, colour, theme.shade, focused ? 3.5 : 2.5);
    pen.save();
    pen.shadowColor = theme.shade;
    pen.shadowBlur = 3;
    triangle(pen, [tip[0] - 8 * u, tip[1] - 8 * v], [u, v], 9, colour);
    pen.restore();
  }
  dot(pen, tail, 5, focused ? theme.ink : theme.shade, colour, 2.5, theme.shade);
}

/** A landmark: hollow where it is, filled where it goes. @param {Pen} pen @param {Point} from @param {Point} to @param {Theme} theme @param {boolean} focused */
export function landmark(pen, from, to, theme, focused) {
  if (Math.hypot(to[0] - from[0], to[1] - from[1]) > 0.5) {
    const path = new Path2D();
    path.moveTo(from[0], from[1]);
    path.lineTo(to[0], to[1]);
    twoTone(pen, path, theme.accent, theme.shade, 1.5);
    dot(pen, from, 3.5, theme.shade, theme.ink, 1.5, theme.shade);
  }
  dot(pen, to, focused ? 6 : 4, theme.accent, theme.ink, focused ? 2 : 1.25, theme.shade);
}

/** Rings that spread from where something was asked for. @param {Pen} pen @param {Point} at @param {number} phase 0 to 1 @param {Theme} theme */
export function ripple(pen, at, phase, theme) {
  for (const share of [phase * 5, phase * 5 + 0.5].map((t) => t % 1)) {
    const path = new Path2D();
    path.arc(at[0], at[1], 4 + 18 * share, 0, 2 * Math.PI);
    pen.globalAlpha = 1 - share;
    twoTone(pen, path, theme.accent, theme.shade, 2);
  }
  pen.globalAlpha = 1;
  dot(pen, at, 3, theme.ink, theme.accent, 1.5, theme.shade);
}

/** The size of the brush. @param {Pen} pen @param {Point} at @param {number} radius @param {Theme} theme @param {string} colour */
export function brushRing(pen, at, radius, theme, colour) {
  const path = new Path2D();
  path.arc(at[0], at[1], Math.max(radius, 1.5), 0, 2 * Math.PI);
  twoTone(pen, path, colour, theme.shade, 1.5);
}

/** The keyboard's crosshair. @param {Pen} pen @param {Point} at @param {Theme} theme */
export function crosshair(pen, [x, y], theme) {
  const path = new Path2D();
  for (const [u, v] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + 5 * u, y + 5 * v);
    path.lineTo(x + 16 * u, y + 16 * v);
  }
  path.moveTo(x + 10, y);
  path.arc(x, y, 10, 0, 2 * Math.PI);
  twoTone(pen, path, theme.accent, theme.shade, 2);
  dot(pen, [x, y], 1.5, theme.ink, theme.ink, 0.5, theme.shade);
}

/** The line between before and after, with its handle. @param {Pen} pen @param {number} x @param {[number, number]} ends @param {number} y of the handle @param {Theme} theme */
export function divider(pen, x, [top, bottom], y, theme) {
  const path = new Path2D();
  path.moveTo(x, top);
  path.lineTo(x, bottom);
  twoTone(pen, path, theme.ink, theme.shade, 2);
  dot(pen, [x, y], 17, theme.shade, theme.ink, 2, theme.shade);
  triangle(pen, [x - 5, y], [-1, 0], 6, theme.ink);
  triangle(pen, [x + 5, y], [1, 0], 6, theme.ink);
}

/** A word on a dark chip. @param {Pen} pen @param {string} text @param {Point} at left or right end, top @param {"left" | "right"} side @param {Theme} theme */
export function chip(pen, text, [x, y], side, theme) {
  pen.font = FONT;
  const width = pen.measureText(text).width + 16;
  const left = side === "left" ? x : x - width;
  pen.fillStyle = theme.shade;
  pen.beginPath();
  pen.roundRect(left, y, width, 22, 11);
  pen.fill();
  pen.fillStyle = theme.ink;
  pen.textBaseline = "middle";
  pen.fillText(text, left + 8, y + 11.5);
}

/** Figures on a dark chip around a point. @param {Pen} pen @param {string} text @param {Point} at @param {Theme} theme */
export function reading(pen, text, [x, y], theme) {
  pen.font = FONT;
  chip(pen, text, [x - pen.measureText(text).width / 2 - 8, y - 11], "left", theme);
}

/** A grey checkerboard, as behind what is transparent. @param {Pen} pen @param {Box} box @param {Theme} theme @param {number} cell CSS pixels */
export function checker(pen, [x0, y0, x1, y1], theme, cell) {
  pen.fillStyle = theme.checker;
  pen.beginPath();
  for (let row = 0; y0 + row * cell < y1; row++) {
    for (let x = x0 + (row % 2) * cell; x < x1; x += 2 * cell) {
      const y = y0 + row * cell;
      pen.rect(x, y, Math.min(cell, x1 - x), Math.min(cell, y1 - y));
    }
  }
  pen.fill();
}
