// The stage's canvas as an element: its label, its style, and how much of it the page covers.

const LABEL =
  "Image. Arrow keys move a crosshair, Enter selects what is there; then arrow keys move it, plus and minus scale it, " +
  "square brackets turn it, F flips it, Escape lets go.";

/** How much of an element the page covers, CSS pixels. @param {Element} element */
export function insetsOf(element) {
  const style = getComputedStyle(element);
  /** @param {string} side */
  const inset = (side) => Math.max(parseFloat(style.getPropertyValue(`--dd-inset-${side}`)) || 0, 0);
  return { top: inset("top"), bottom: inset("bottom") };
}

/** @param {HTMLCanvasElement} canvas */
export function prepareCanvas(canvas) {
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", LABEL);
  canvas.className = "dd-stage";
  Object.assign(canvas.style, {
    display: "block",
    width: "100%",
    height: "100%",
    outline: "none",
    touchAction: "none",
    userSelect: "none",
  });
  canvas.style.setProperty("-webkit-tap-highlight-color", "transparent");
  canvas.style.setProperty("-webkit-touch-callout", "none");
}
