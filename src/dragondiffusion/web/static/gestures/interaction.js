// The state of what a pointer or the keyboard is doing on the stage, before the document knows it.

/**
 * @typedef {import("../model/types.js").Placing} Placing
 * @typedef {import("../model/types.js").Point} Point
 * @typedef {import("../model/types.js").Box} Box
 *
 * @typedef {object} Interaction
 * @property {Placing | null} placing  of the subject
 * @property {{what: "move" | "scale" | "rotate" | "pinch", text: string} | null} reading  what changes, in figures
 * @property {[Point, Point][] | null} arrows
 * @property {Point[] | null} landmarks  where they go
 * @property {import("../stage/scene.js").Subject | null} keyed  the subject as it was before keys changed it
 * @property {Point[] | null} before  where they went before keys took one of them up
 * @property {import("./painting.js").Painting | null} painting
 * @property {Box | null} box  that is being drawn
 * @property {Point | null} pointer  where a mouse or pen hovers, CSS pixels
 * @property {Point | null} crosshair  of the keyboard, full-size pixels
 * @property {Point | null} tail  of an arrow begun with the keyboard
 * @property {number | null} split  of the comparison
 * @property {number | null} focus  the arrow or landmark that keys act on
 * @property {{image: object, edits: object} | null} stale  the preview that no longer fits, and the edits it was made for
 * @property {import("../model/geometry.js").Side} knob  where the handle to rotate stands
 * @property {boolean} coarse  whether the last touch was a finger
 * @property {Point | null} asked  what the page was asked for and has not answered, full-size pixels
 * @property {import("../stage/shapes.js").Shape | null} glance  what a click where the mouse rests would select
 * @property {Point | null} finger  where a finger hides what it moves, full-size pixels: shown under a loupe
 */

/** @returns {Interaction} */
export function noInteraction() {
  return {
    placing: null,
    reading: null,
    arrows: null,
    landmarks: null,
    before: null,
    keyed: null,
    painting: null,
    box: null,
    pointer: null,
    crosshair: null,
    tail: null,
    split: null,
    focus: null,
    stale: null,
    knob: "n",
    coarse: false,
    finger: null,
    glance: null,
    asked: null,
  };
}
