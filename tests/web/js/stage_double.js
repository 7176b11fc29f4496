// A stage without a browser: what gestures, tools and keys work on in the tests.

/**
 * @typedef {import("../../../src/dragondiffusion/web/static/gestures/gestures.js").StageContext} StageContext
 * @typedef {import("../../../src/dragondiffusion/web/static/stage/scene.js").Scene} Scene
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Doc} Doc
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Edit} Edit
 * @typedef {import("../../../src/dragondiffusion/web/static/model/types.js").Selection} Selection
 * @typedef {[string, ...any[]]} Reported
 */
import { noInteraction } from "../../../src/dragondiffusion/web/static/gestures/interaction.js";
import { Viewport } from "../../../src/dragondiffusion/web/static/stage/viewport.js";

export const PICTURE = { name: "picture", title: "", width: 1000, height: 800, notes: [] };

/** An object of 200 x 100 pixels around (400, 350). @type {Selection} */
export const THING = {
  mask: { name: "thing", width: 1000, height: 800, area: 0.02, box: [300, 300, 500, 400], centroid: [400, 350] },
  found: null,
  points: [],
  outside: [],
};

/** @type {Doc} */
export const DOC = {
  picture: PICTURE,
  selection: null,
  edits: [],
  chosen: null,
  shown: null,
  backs: {},
  choices: { quality: "default", strength: 1, keep: "most", seed: 0, tries: 1, prompt: "", negative: "", advanced: {} },
};

/** Seen at half its size, from (50, 40) on.
 * @param {Partial<Doc>} doc @param {Partial<Scene>} [scene]
 * @returns {{stage: StageContext, reported: Reported[], told: Reported[]}} reported: what the page heard, in order; told: what it is to say */
export function makeStage(doc, scene = {}) {
  /** @type {[Reported[], Reported[]]} */
  const [reported, told] = [[], []];
  const viewport = new Viewport();
  viewport.resize({ width: 600, height: 480 });
  viewport.open(PICTURE);
  Object.assign(viewport, { zoom: 0.5, pan: [50, 40], fitted: false });
  const hear = (/** @type {string} */ name) => (/** @type {any[]} */ ...values) => void (name === "onTell" ? told : reported).push([name, ...values]);
  /** @type {any} */
  const events = new Proxy({}, { get: (_, name) => hear(String(name)) });
  /** @type {any} */
  const shapes = { get: () => ({ has: (/** @type {[number, number]} */ [x, y]) => x > 300 && x < 500 && y > 300 && y < 400 }) };
  const theme = { accent: "blue", danger: "red", ink: "white", shade: "black", backdrop: "grey", checker: "grey" };
  /** @type {Scene} */
  const shown = {
    doc: { ...DOC, ...doc },
    tool: "select",
    brush: 40,
    images: new Map(),
    masks: new Map(),
    preview: null,
    live: null,
    compare: null,
    busy: false,
    ...scene,
  };
  const stage = { scene: shown, viewport, interaction: noInteraction(), shapes, events, theme, redraw: () => undefined };
  return { stage, reported, told };
}

/** @param {Partial<KeyboardEvent>} [held] @returns {any} */
export const keys = (held = {}) => ({ shiftKey: false, altKey: false, ...held });

/** @param {string} key @param {Partial<KeyboardEvent>} [held] @returns {any} */
export const press = (key, held = {}) => ({ key, ctrlKey: false, metaKey: false, getModifierState: () => false, ...keys(held) });
