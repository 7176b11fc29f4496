// What can be measured of a page that is laid out. Tests give this to the browser as text.
(() => {
  const app = document.querySelector('[data-dd="app"]');
  const isSeen = (each) => each.checkVisibility({visibilityProperty: true}) && each.getBoundingClientRect().width > 2;
  const nameOf = (each) => each.getAttribute("aria-label") || each.textContent.trim().slice(0, 60) || each.className;
  const controls = [...app.querySelectorAll("button, input, select, textarea, summary")].filter(isSeen);
  const scrolls = (each) => {
    for (let at = each.parentElement; at !== null && at !== app; at = at.parentElement) {
      const {overflowX, overflowY} = getComputedStyle(at);
      if (/auto|scroll/.test(overflowX) && at.scrollWidth > at.clientWidth) return true;
      if (/auto|scroll/.test(overflowY) && at.scrollHeight > at.clientHeight) return true;
    }
    return false;
  };

  /** Controls that leave the window, bars that must be scrolled, words that do not fit their button. */
  function cut() {
    const [right, bottom] = [document.documentElement.clientWidth, window.innerHeight];
    const bars = [...app.querySelectorAll(".dd-tools, .dd-top, .dd-actions, .dd-context, .dd-split, .dd-menu-list")].filter(isSeen);
    const scrolled = bars.filter((bar) => bar.scrollWidth > bar.clientWidth + 1 || bar.scrollHeight > bar.clientHeight + 1);
    const outside = controls.filter((each) => {
      const box = each.getBoundingClientRect();
      return !scrolls(each) && (box.left < -0.5 || box.top < -0.5 || box.right > right + 0.5 || box.bottom > bottom + 0.5);
    });
    const clipped = controls.filter((each) => each.tagName === "BUTTON" && each.scrollWidth > each.clientWidth + 2);
    return [...scrolled.map((each) => `scrolled: ${each.className}`), ...outside.map((each) => `outside: ${nameOf(each)}`),
      ...clipped.map((each) => `clipped: ${nameOf(each)}`)];
  }

  /** Controls that something else lies over. */
  function covered() {
    return controls.filter((each) => {
      const {left, top, width, height} = each.getBoundingClientRect();
      return !scrolls(each) && [0.2, 0.5, 0.8].some((share) => {
        const hit = document.elementFromPoint(left + share * width, top + share * height);
        return !(hit instanceof Element && (each.contains(hit) || hit.contains(each)));
      });
    }).map(nameOf);
  }

  /** Words whose contrast to their ground (WCAG 2.2) is below a number, with it. */
  function faint(least) {
    const pen = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true});
    const read = (colours) => {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, 1, 1);
      for (const {colour, alpha} of colours) {
        pen.globalAlpha = alpha;
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
      }
      pen.globalAlpha = 1;
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
    const grounds = (element) => {
      const found = [];
      for (let at = element; at !== null; at = at.parentElement) {
        found.unshift({colour: getComputedStyle(at).backgroundColor, alpha: 1});
        if (at.matches("dialog, [popover]")) break;
      }
      return found;
    };
    const opacity = (element) => {
      let product = 1;
      for (let at = element; at !== null; at = at.parentElement) product *= Number(getComputedStyle(at).opacity);
      return product;
    };
    const texts = [];
    const walker = document.createTreeWalker(app, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() !== "" && isSeen(element)) texts.push([element, walker.currentNode.data, getComputedStyle(element).color]);
    }
    for (const field of controls.filter((each) => each.matches("input:placeholder-shown"))) {
      const {color, opacity: share} = getComputedStyle(field, "::placeholder");
      texts.push([field, field.placeholder, share === "1" ? color : "#fff"]);
    }
    return texts.map(([element, text, colour]) => {
      const below = grounds(element);
      const [one, other] = [read(below), read([...below, {colour, alpha: opacity(element)}])].map(light).sort((a, b) => b - a);
      return [Number(((one + 0.05) / (other + 0.05)).toFixed(2)), text.trim().slice(0, 60)];
    }).filter(([ratio]) => ratio < least);
  }

  return { cut, covered, faint };
})()
