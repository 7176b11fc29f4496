// Handles: all of them can be seen and taken hold of, wherever the object is, also in low windows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_HOME, distance } from "../../../../src/dragondiffusion/web/static/model/geometry.js";
import { framing, sideOfKnob } from "../../../../src/dragondiffusion/web/static/stage/framing.js";
import { Viewport } from "../../../../src/dragondiffusion/web/static/stage/viewport.js";
import { PICTURE } from "../stage_double.js";

/** Views of windows of 640x400, 844x390, 390x844 and 1280x800, with what the page covers. @type {[number, number, number, number][]} */
const VIEWS = [[412, 372, 38, 76], [616, 362, 38, 76], [390, 648, 48, 76], [886, 660, 44, 64]];

/** @param {import("../../../../src/dragondiffusion/web/static/model/types.js").Box} box @returns {import("../../../../src/dragondiffusion/web/static/stage/scene.js").Subject} */
function thing(box) {
  const centroid = /** @type {[number, number]} */ ([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
  return { edit: null, picture: PICTURE, mask: { name: "thing", width: 1000, height: 800, area: 0.1, box, centroid }, placing: AT_HOME, stays: false };
}

/** @param {number} width @param {number} height @param {number} top @param {number} bottom */
function opened(width, height, top, bottom) {
  const viewport = new Viewport();
  viewport.resize({ width, height });
  viewport.open(PICTURE);
  viewport.cover({ top, bottom });
  return viewport;
}

test("every handle is seen, not covered, and apart from the others", () => {
  for (const [width, height, top, bottom] of VIEWS) {
    const viewport = opened(width, height, top, bottom);
    for (const zoom of [1, 3]) {
      viewport.zoomAt(zoom);
      for (const x of [-100, 0, 250, 500, 850]) {
        for (const y of [-100, 0, 250, 500, 650]) {
          for (const [w, h] of [[150, 150], [900, 150], [150, 780], [1000, 800]]) {
            const subject = thing([x, y, x + w, y + h]);
            const [cx, cy] = viewport.toScreen(subject.mask.centroid);
            if (cx < 0 || cy < top || cx > width || cy > height - bottom) continue; // the object itself is out of view
            const { handles } = framing(viewport, subject, sideOfKnob(viewport, subject));
            const where = `${width}x${height}, zoom ${zoom}, ${[x, y, w, h]}`;
            for (const { name, at } of handles) {
              const half = name === "rotate" ? 12.5 : 7.5;
              assert.ok(at[0] >= half && at[0] <= width - half, `${where}: ${name} at ${at}`);
              assert.ok(at[1] >= top + half && at[1] <= height - bottom - half, `${where}: ${name} at ${at}`);
              for (const other of handles) assert.ok(other.name === name || distance(at, other.at) >= 15, `${where}: ${name} on ${other.name}`);
            }
          }
        }
      }
    }
  }
});

test("the handle to rotate stands above the object where it can, below it under the upper border", () => {
  const viewport = opened(412, 372, 38, 76);
  assert.equal(sideOfKnob(viewport, thing([400, 500, 600, 700])), "n");
  assert.equal(sideOfKnob(viewport, thing([400, 10, 600, 200])), "s");
  assert.equal(sideOfKnob(viewport, thing([400, 0, 600, 800])), "e");
});
