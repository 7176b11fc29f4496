// The scene of the page's state.

import assert from "node:assert/strict";
import { test } from "node:test";
import { begin } from "../../../../src/dragondiffusion/web/static/model/history.js";
import { firstState } from "../../../../src/dragondiffusion/web/static/model/state.js";
import { sceneOf } from "../../../../src/dragondiffusion/web/static/stage/shown_scene.js";
import { DOC, PICTURE } from "../stage_double.js";

test("a result is shown once it can be seen, what was there before stays until then", () => {
  const preview = /** @type {any} */ ({ image: { width: 1, height: 1 }, box: [0, 0, 1, 1] });
  const job = /** @type {any} */ ({ id: "j", result: { ...PICTURE, name: "result" }, recipe: { image: "picture" } });
  const state = { ...firstState(), history: begin(DOC), jobs: [job], shown: "j", preview };
  const known = new Map([["picture", {}]]);
  const views = /** @type {any} */ ({
    get: (/** @type {string} */ name) => known.get(name) ?? null,
    several: (/** @type {Iterable<string>} */ names) => new Map([...names].filter((name) => known.has(name)).map((name) => [name, known.get(name)])),
  });
  assert.equal(sceneOf(state, views).preview, preview);
  assert.ok(sceneOf(state, views).images.has("picture"));
  known.set("result", {});
  assert.equal(sceneOf(state, views).preview, null);
  assert.ok(sceneOf(state, views).images.has("result"));
});
