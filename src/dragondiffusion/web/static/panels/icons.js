// Drawings of the buttons: lines on a field of 24 by 24.

/** @type {Record<string, string>} */
const PATHS = {
  open: "M3 7.5A1.5 1.5 0 0 1 4.5 6H9l2 2h8.5A1.5 1.5 0 0 1 21 9.5v8A1.5 1.5 0 0 1 19.5 19h-15A1.5 1.5 0 0 1 3 17.5z",
  scene: "M3 18l5.5-7 4 5 2.5-3 6 5zM16.5 8.5a2 2 0 1 0 .01 0",
  undo: "M8 5L4 9l4 4M4 9h9a6 6 0 0 1 0 12h-3",
  redo: "M16 5l4 4-4 4M20 9h-9a6 6 0 0 0 0 12h3",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  smaller: "M20 4l-6.5 6.5M13.5 5.5v5h5M4 20l6.5-6.5M5.5 13.5h5v5",
  larger: "M13.5 10.5L20 4M15 4h5v5M10.5 13.5L4 20M4 15v5h5",
  up: "M12 20V5M6.5 10.5L12 5l5.5 5.5",
  down: "M12 4v15M6.5 13.5L12 19l5.5-5.5",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  download: "M12 4v11M7.5 11l4.5 4.5L16.5 11M5 20h14",
  restore: "M12 15.5V4.5M7.5 9L12 4.5 16.5 9M5 20h14",
  help: "M9 9.5a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18.2v.1M12 3a9 9 0 1 0 .01 0",
  select: "M6 3.5l12 9-5.5.9L16 20l-2.7 1.3-3.3-6.5L6 18.5z",
  brush: "M19.5 4.5L11 13M9 13.5c-2.2 0-3 1.7-3 3.2 0 1.4-1 2.3-2.5 2.3 1 1.2 2.5 1.7 4 1.7 2.4 0 4.3-1.6 4.3-3.9 0-1.5-1.1-3.3-2.8-3.3z",
  eraser: "M8.5 20H20M5 14.5L14 5.5a1.8 1.8 0 0 1 2.5 0l3 3a1.8 1.8 0 0 1 0 2.5L11 20H8.5L5 17a1.8 1.8 0 0 1 0-2.5zM9.5 10l5.5 5.5",
  lasso: "M7 16.5c-2.5-.8-4-2.5-4-5C3 7.5 7 5 12 5s9 2.5 9 6.2-4 6.3-9 6.3c-1 0-1.5 0-2.3-.2M8 15.5a1.8 1.8 0 1 0 .01 0M8 19c0 1.5-1 2.5-2.5 2.5",
  drag: "M5 19L18 6M10.5 5.5H18.5V13.5M5 19m-1.5 0a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0",
  landmarks: "M12 3.5c-4.5 0-7 3-7 7.5 0 5 3.5 9.5 7 9.5s7-4.5 7-9.5c0-4.5-2.5-7.5-7-7.5M9 10v.1M15 10v.1M9 15c1.8 1.5 4.2 1.5 6 0",
  pan: "M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3",
  trash: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10 11v5.5M14 11v5.5",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12M12 9a3 3 0 1 0 .01 0",
  hidden: "M4 4l16 16M9 6c1-.3 2-.5 3-.5 6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-3 3.7M6 8a17 17 0 0 0-3.5 4S6 18.5 12 18.5c1.5 0 2.8-.4 4-1",
  copy: "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
  flip: "M12 3v18M9 7L3.5 17H9zM15 7l5.5 10H15z",
  appearance: "M12 3.5s6 6.5 6 11a6 6 0 0 1-12 0c0-4.5 6-11 6-11M9 15a3 3 0 0 0 3 3",
  paste: "M4.5 5h9v9h-9zM17 11v9M12.5 15.5h9",
  pin: "M9 3.5h6l-.8 6.5 3.3 3.5h-11L9.8 10zM12 13.5V21",
  compare: "M12 3v18M4 6h5M4 18h5M15 6h5v12h-5M4 6v12",
  next: "M5 12h13M13 6.5l5.5 5.5-5.5 5.5",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M13 4.5v5M7 14.5v5",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  dice: "M5 5h14v14H5zM9 9v.1M15 9v.1M12 12v.1M9 15v.1M15 15v.1",
  move: "M4 8.5h6v7H4zM13 12h7.5M17 8.5l3.5 3.5-3.5 3.5",
  remove: "M4 4h16v16H4zM9 9l6 6M15 9l-6 6",
  more: "M5.5 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0M11.4 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0M17.3 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0",
  subject: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M12 7.5a2.7 2.7 0 1 0 .01 0M7.5 17.5c.4-2.6 2-4 4.5-4s4.1 1.4 4.5 4",
  camera: "M4 7.5h3.5L9 5h6l1.5 2.5H20V19H4zM12 10a3 3 0 1 0 .01 0",
};

/** A drawing that readers of the screen pass over.
 * @param {string} name
 * @returns {SVGSVGElement} */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "dd-icon", "aria-hidden": "true", focusable: "false" })) {
    svg.setAttribute(key, value);
  }
  return svg;
}
