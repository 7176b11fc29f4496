// Hovering: where a mouse or a pen rests, what a click there would select is asked for and shown.

/**
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Doc} Doc
 * @typedef {import("./gestures.js").StageContext} StageContext
 */
import { distance } from "../model/geometry.js";
import { Shape } from "../stage/shapes.js";
import { editAt, insidePicture, partAt } from "./tools.js";
import { howOf } from "../stage/scene.js";

/** Whether what is worked on is the same. @param {Doc} a @param {Doc} b */
export function sameThings(a, b) {
  const isSame = a.picture?.name === b.picture?.name && a.selection === b.selection && a.chosen === b.chosen;
  return isSame && a.edits.length === b.edits.length && a.edits.every((edit, k) => edit === b.edits[k]);
}

/** Milliseconds for which a pointer rests before it is asked, and CSS pixels within which an answer holds. */
const [REST, HOLDS] = [90, 4];

/** What is shown of the object under the pointer. Nothing waits for it, and what is done ends it. */
export class Hovering {
  #timer = 0;
  /** @type {Point | null} where it was asked last, CSS pixels */
  #asked = null;

  /** @param {StageContext} stage */
  constructor(stage) {
    this.stage = stage;
  }

  /** The pointer is at a place, or nowhere. @param {Point | null} at CSS pixels */
  at(at) {
    const { stage } = this;
    const { glance } = stage.interaction;
    if (at === null || !this.#isFree(at)) return this.end();
    if (glance !== null && !glance.has(stage.viewport.toPicture(at))) this.#show(null);
    if (this.#asked !== null && distance(at, this.#asked) <= HOLDS) return;
    this.#asked = null;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#ask(at), REST);
  }

  /** Nothing is shown any more, nothing that is asked will be. */
  end() {
    clearTimeout(this.#timer);
    if (this.#asked !== null) this.stage.events.onGlance?.(null);
    this.#asked = null;
    this.#show(null);
  }

  /** Whether a click at a place would select something anew. @param {Point} at */
  #isFree(at) {
    const { stage } = this;
    const { scene, interaction } = stage;
    if (stage.events.onGlance === undefined || scene.tool !== "select" || scene.busy || scene.compare !== null || scene.live !== null) return false;
    if (howOf(scene, { shiftKey: false, altKey: false }) !== "new" || interaction.asked !== null) return false;
    return insidePicture(stage, at, 0) && partAt(stage, at) === null && editAt(stage, at) === null;
  }

  /** @param {Point} at */
  async #ask(at) {
    this.#asked = at;
    const { stage } = this;
    const full = stage.scene.doc.picture;
    const image = await stage.events.onGlance?.(stage.viewport.toPicture(at));
    if (this.#asked === at) this.#show(image && full ? new Shape(image, full) : null); // else the pointer has gone on
  }

  /** @param {Shape | null} shape */
  #show(shape) {
    const { interaction } = this.stage;
    if (interaction.glance === shape) return;
    interaction.glance = shape;
    this.stage.redraw();
  }
}
