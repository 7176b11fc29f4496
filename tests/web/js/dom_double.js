// Elements without a browser: as much of them as the page's forms use.

/** An element that keeps its attributes, children and listeners. */
export class ElementDouble {
  /** @type {ElementDouble[]} */
  children = [];
  /** @type {Record<string, string>} */
  attributes = {};
  /** @type {Record<string, ((event: any) => unknown)[]>} */
  listeners = {};
  text = "";
  value = "";
  checked = false;
  hidden = false;
  title = "";
  validity = { valid: true };

  /** @param {string} tag */
  constructor(tag) {
    this.tag = tag;
  }

  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    this.attributes[name] = value;
    if (name === "value") this.value = value;
  }

  /** @param {string} name */
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }

  /** @param {...(ElementDouble | string)} children */
  append(...children) {
    for (const child of children) {
      if (typeof child === "string") this.text += child;
      else this.children.push(child);
    }
  }

  /** @param {string} name @param {(event: any) => unknown} listener */
  addEventListener(name, listener) {
    (this.listeners[name] ??= []).push(listener);
  }

  /** Calls the listeners of an event; waits for those that are asynchronous.
   * @param {string} name */
  async fire(name) {
    for (const listener of this.listeners[name] ?? []) await listener({ target: this });
  }

  get textContent() {
    return this.text;
  }

  /** @param {string} text */
  set textContent(text) {
    this.text = text;
  }

  /** @param {string} message  empty where the value is valid */
  setCustomValidity(message) {
    this.validity = { valid: message === "" };
  }

  /** This element and all within it. @returns {ElementDouble[]} */
  get all() {
    return [this, ...this.children.flatMap((child) => child.all)];
  }

  /** All words in it. @returns {string} */
  get words() {
    return this.all.map(({ text }) => text).filter((text) => text !== "").join(" ");
  }
}

/** Gives the page's modules a document of doubles. */
export function installDocument() {
  /** @type {any} */ (globalThis).document = {
    activeElement: null,
    createElement: (/** @type {string} */ tag) => new ElementDouble(tag),
    createElementNS: (/** @type {string} */ _space, /** @type {string} */ tag) => new ElementDouble(tag),
  };
}
