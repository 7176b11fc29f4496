// Plays through the page in Firefox by WebDriver BiDi; prints what it found as JSON.
// node firefox.mjs '{"address": "ws://...", "url": ..., "size": [w, h], "kind": "mouse" | "touch", "thing": [x, y], "scene": [rows, columns], "measures": "..."}'

const { address, url, size, kind, thing, scene, measures } = JSON.parse(process.argv[2]);
const socket = new WebSocket(`${address}/session`);
const [answers, errors] = [new Map(), []];
let ids = 0;

socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.method === "log.entryAdded" && message.params.level === "error") errors.push(message.params.text);
  if (!answers.has(message.id)) return;
  const [resolve, reject] = answers.get(message.id);
  if (message.type === "success") resolve(message.result);
  else reject(new Error(JSON.stringify(message)));
};

/** The browser's answer to a command. */
function ask(method, params) {
  const id = ++ids;
  socket.send(JSON.stringify({ id, method, params }));
  return new Promise((resolve, reject) => answers.set(id, [resolve, reject]));
}

await new Promise((resolve) => (socket.onopen = resolve));
await ask("session.new", { capabilities: {} });
const { contexts } = await ask("browsingContext.getTree", { maxDepth: 0 });
const context = contexts[0].context;
await ask("session.subscribe", { events: ["log.entryAdded"] });

/** The value of an expression in the page. */
async function value(expression) {
  const { type, result, exceptionDetails } = await ask("script.evaluate", {
    expression: `(async () => JSON.stringify(await (${expression})) ?? "null")()`, target: { context }, awaitPromise: true,
  });
  if (type !== "success") throw new Error(`${expression}: ${exceptionDetails.text}`);
  return JSON.parse(result.value);
}

/** The value of an expression once it is something. */
async function until(expression, seconds = 90) {
  for (const end = Date.now() + 1000 * seconds; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const found = await value(expression);
    if (found) return found;
    if (Date.now() > end) throw new Error(`it does not happen: ${expression}`);
  }
}

/** Presses at one place of the window and releases at the last of some more. */
function pull(start, ...way) {
  const to = ([x, y], duration = 0) => ({ type: "pointerMove", x: Math.round(x), y: Math.round(y), duration });
  const actions = [to(start), { type: "pointerDown", button: 0 }, ...way.map((at) => to(at, 60)), { type: "pointerUp", button: 0 }];
  return ask("input.performActions", { context, actions: [{ type: "pointer", id: kind, parameters: { pointerType: kind }, actions }] });
}

/** Taps an element that is seen. */
async function press(selector) {
  const middle = await until(`(() => {
    const box = [...document.querySelectorAll(${JSON.stringify(selector)})].find((each) => each.checkVisibility())?.getBoundingClientRect();
    return box && [box.x + box.width / 2, box.y + box.height / 2];
  })()`);
  await pull(middle);
}

/** Where a point of the image is in the window. */
async function at([x, y]) {
  const [left, top, width, height, above, below] = await value(`(() => {
    const box = document.querySelector('[data-dd="stage"]');
    const {left, top, width, height} = box.getBoundingClientRect();
    const inset = (side) => parseFloat(getComputedStyle(box).getPropertyValue("--dd-inset-" + side)) || 0;
    return [left, top, width, height, inset("top"), inset("bottom")];
  })()`);
  const [rows, columns] = scene;
  const room = height - above - below;
  const zoom = Math.min((width - 32) / columns, (room - 32) / rows, 16);
  return [left + width / 2 + zoom * (x - columns / 2), top + above + room / 2 + zoom * (y - rows / 2)];
}

const part = (name) => `document.querySelector('[data-dd="${name}"]')`;
await ask("browsingContext.setViewport", { context, viewport: { width: size[0], height: size[1] } });
await ask("browsingContext.navigate", { context, url, wait: "complete" });
await until(`document.querySelector('[data-ready="true"]') !== null`);
await until(`${part("guide")}.textContent.startsWith("Tap an object")`);
const cut = [await value(`${measures}.cut()`)];
await value(`(() => {
  window.saved = [];
  HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };
  return true;
})()`);
await pull(await at(thing));
await until(`${part("guide")}.textContent === "Now drag it"`);
const [from, to] = [await at(thing), await at([thing[0] + 30, thing[1] - 30])];
await pull(from, [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], to);
await until(`${part("guide")}.textContent === "Now press Edit"`);
await press('[data-dd="run"]');
await until(`${part("verdict")}.checkVisibility() && ${part("verdict")}.textContent !== ""`, 180);
const words = await value(`${part("verdict")}.textContent`);
cut.push(await value(`${measures}.cut()`));
await press('[data-dd="split"] .dd-primary');
const [saved] = await until("window.saved.length > 0 && window.saved");
await press('button[aria-label="Download"]');
cut.push(await value(`${measures}.cut()`));
const picture = process.argv[3] && (await ask("browsingContext.captureScreenshot", { context })).data;
if (picture) (await import("node:fs")).writeFileSync(process.argv[3], Buffer.from(picture, "base64"));
console.log(JSON.stringify({ words, saved, cut: cut.flat(), errors }));
socket.close();
