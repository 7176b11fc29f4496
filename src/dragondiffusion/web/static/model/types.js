/**
 * Types that the page's modules share: images, masks, edits, the document, jobs. Types only, no code.
 *
 * Convention: points are [x, y] in pixels of the full-size image, pixel centres at +0.5, origin top left; angles are in
 * degrees, counter-clockwise as seen on the screen; sizes are {width, height}.
 *
 * @typedef {[number, number]} Point
 * @typedef {[number, number, number, number]} Box  x0, y0, x1, y1
 *
 * @typedef {object} Picture  An image on the server; its name is made from its content.
 * @property {string} name
 * @property {string} title
 * @property {number} width
 * @property {number} height
 * @property {string[]} notes
 * @property {string} [prompt]
 * @property {Point[]} [landmarks]
 * @property {boolean} [drawn]  it is a drawn scene, or came of one
 *
 * @typedef {object} Mask  A mask on the server, of its image's size.
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {number} area  share of the image
 * @property {Box} box
 * @property {Point} centroid
 *
 * @typedef {object} Selection  A mask and how it came about.
 * @property {Mask} mask  with corrections
 * @property {Mask | null} found  what the clicks alone mean; null where there were none
 * @property {Point[]} points  clicks on the object
 * @property {Point[]} outside  clicks beside it
 * @property {string[]} [notes]  reasons to doubt it, with remedies
 * @property {Mask[]} [others]  all that its clicks or box may mean, from the smallest to the largest
 *
 * @typedef {object} Placing  Where an object goes.
 * @property {Point} offset
 * @property {Point} scale  factors along x and y
 * @property {number} angle
 * @property {boolean} flip
 *
 * @typedef {{id: number, kind: "move", hidden: boolean, selection: Selection, placing: Placing, hint?: string}} MoveEdit
 *   hint: name of a mask whose appearance the source hole takes; only recipes that were made elsewhere have one
 * @typedef {{id: number, kind: "remove", hidden: boolean, selection: Selection, hint?: string}} RemoveEdit
 * @typedef {{id: number, kind: "paste", hidden: boolean, image: Picture, selection: Selection, placing: Placing, prompt?: string}} PasteEdit
 *   selection and placing's origin are those of the second image
 * @typedef {{id: number, kind: "appearance", hidden: boolean, selection: Selection, image: Picture, reference: Selection | null, pattern: boolean, prompt?: string}} AppearanceEdit
 * @typedef {{id: number, kind: "drag", hidden: boolean, points: [Point, Point][], selection: Selection | null}} DragEdit
 * @typedef {{id: number, kind: "landmarks", hidden: boolean, from: Point[], to: Point[]}} LandmarksEdit
 * @typedef {{id: number, kind: "form", hidden: boolean, spec: EditKind, selection: Selection | null, images: Record<string, Picture>, masks: Record<string, Selection>, values: Record<string, unknown>}} FormEdit
 *   an edit that the page has no gesture for, set by a form; `selection` is its first mask on the edited image, the others
 *   are in `masks`, by name of their field
 * @typedef {MoveEdit | RemoveEdit | PasteEdit | AppearanceEdit | DragEdit | LandmarksEdit | FormEdit} Edit
 *
 * @typedef {object} EditField  A field of a kind of edit, and the control that sets it.
 * @property {string} name
 * @property {string} title
 * @property {string} help
 * @property {"mask" | "image" | "number" | "integer" | "switch" | "text" | "choice" | "json"} control
 * @property {boolean} required
 * @property {unknown} default
 * @property {string[]} options  of a choice
 * @property {string | null} of  of a mask: the image field that it belongs to; null is the edited image
 *
 * @typedef {object} EditKind  A kind of edit, as the server describes it.
 * @property {string} name  in recipes
 * @property {string} title
 * @property {string} help
 * @property {EditField[]} fields
 *
 * @typedef {object} Choices  How an edit is run.
 * @property {"fast" | "default" | "best"} quality
 * @property {number} strength  0 to 2, guidance_strength
 * @property {"everything" | "most" | "little"} keep  how much of the rest stays as it was
 * @property {number} seed
 * @property {number} tries
 * @property {string} prompt
 * @property {string} negative
 * @property {Object<string, unknown>} advanced  fields of Settings by name
 *
 * @typedef {object} Doc  What undo and redo go back and forth between. Never changed in place.
 * @property {Picture | null} picture
 * @property {Selection | null} selection  an object that is selected and not (yet) part of an edit
 * @property {readonly Edit[]} edits
 * @property {number | null} chosen  id of the edit that is being worked on
 * @property {Choices} choices
 * @property {string | null} shown  job whose result came of it and is looked at; null while the edits are
 * @property {Readonly<Record<string, Mask>>} backs  by job: where the input is painted back into its result
 *
 * @typedef {"select" | "brush" | "eraser" | "lasso" | "drag" | "landmarks" | "pan" | "original"} Tool  "original" paints the input back into a result
 *
 * @typedef {object} Report
 * @property {number | null} arrived
 * @property {number | null} ghost
 * @property {number} background
 * @property {number} score
 * @property {string} words
 *
 * @typedef {object} Job
 * @property {string} id
 * @property {"waiting" | "running" | "done" | "failed" | "cancelled" | "interrupted"} state
 * @property {number} position
 * @property {string} phase
 * @property {number} done
 * @property {number} total
 * @property {number | null} seconds_left
 * @property {number} seconds
 * @property {number} frames
 * @property {string | null} error
 * @property {number} seed
 * @property {number} tries
 * @property {Report | null} report
 * @property {string[]} notes
 * @property {Picture | null} result
 * @property {string[]} [painted]  names of images made of the result by painting the input back
 * @property {Recipe} recipe
 *
 * @typedef {Object<string, any>} Recipe
 *
 * @typedef {object} StageEvents  What the stage reports to the rest of the page. The stage changes no document itself.
 * @property {(at: Point, how: "new" | "add" | "remove") => void} onPick  clicked on the image with the tool "select"
 * @property {(box: Box) => void} onBox  drew a box with the tool "select" on nothing selected
 * @property {(mask: HTMLCanvasElement, how: "add" | "remove") => void} onPaint  painted with brush, eraser or lasso; white is painted, of view size
 * @property {(placing: Placing, final: boolean) => void} onPlace  the selected object, or the chosen edit, is put elsewhere; final at release
 * @property {(pairs: [Point, Point][], final: boolean) => void} onArrows  arrows of the tool "drag"
 * @property {(points: Point[], final: boolean) => void} onLandmarks  where landmarks go
 * @property {(at: Point | null) => Promise<CanvasImageSource | null>} [onGlance]  a mouse rests on the image, or no longer: the mask of
 *   what a click there would select, small, white inside
 * @property {(id: number | null) => void} onChoose  clicked on an edit's outline
 * @property {(text: string) => void} onHint  a word for the status line
 * @property {(text: string) => void} [onTell]  what keys did, for those who hear the page
 */
export {};
