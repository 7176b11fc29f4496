// Server-sent events read from a fetched stream; the browser's own reader of them cannot send headers.

/** @typedef {{event: string, data: string}} ServerEvent */

/** Collects text as it arrives, cut anywhere, into events. */
export class EventParser {
  #rest = "";
  #event = "";
  /** @type {string[]} */
  #data = [];

  /** The events that are complete with this piece of text.
   * @param {string} text
   * @returns {ServerEvent[]} */
  feed(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = /** @type {string} */ (lines.pop());
    return lines.flatMap((line) => this.#line(line));
  }

  /** @param {string} line
   * @returns {ServerEvent[]} */
  #line(line) {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return [];
  }

  /** @returns {ServerEvent[]} */
  #end() {
    const event = { event: this.#event || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    return isEmpty ? [] : [event];
  }
}

/** The events of a response's body.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<ServerEvent>} */
export async function* readEvents(body) {
  const [parser, decoder, reader] = [new EventParser(), new TextDecoder(), body.getReader()];
  let isOver = false;
  try {
    while (!isOver) {
      const { done, value } = await reader.read();
      isOver = done;
      yield* parser.feed(decoder.decode(value, { stream: !done }));
    }
  } finally {
    if (!isOver) await reader.cancel().catch(() => undefined);
  }
}
