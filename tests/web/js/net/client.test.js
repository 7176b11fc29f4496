// The client against a fetch of our own: sessions, errors, events cut anywhere, aborted previews.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../../../src/dragondiffusion/web/static/net/client.js";
import { ApiError, isAbort } from "../../../../src/dragondiffusion/web/static/net/http.js";
import { EventParser } from "../../../../src/dragondiffusion/web/static/net/events.js";
import { mixGrey } from "../../../../src/dragondiffusion/web/static/net/selecting.js";

/** @typedef {{method: string, path: string, session: string | null, body: unknown, signal: AbortSignal | null}} Call */

const BASE = "http://127.0.0.1:7860/deep/";

/** A fetch that answers by a function and remembers what it was asked.
 * @param {(call: Call, n: number) => Response | Promise<Response>} answer */
function fake(answer) {
  /** @type {Call[]} */
  const calls = [];
  /** @type {typeof globalThis.fetch} */
  const fetch = async (url, init = {}) => {
    assert.ok(String(url).startsWith(`${BASE}api/`), String(url));
    const body = typeof init.body === "string" ? JSON.parse(init.body) : (init.body ?? null);
    const path = String(url).slice(`${BASE}api/`.length);
    const call = { method: init.method ?? "GET", path, session: new Headers(init.headers).get("X-Session"), body, signal: init.signal ?? null };
    calls.push(call);
    return answer(call, calls.length);
  };
  return { calls, fetch };
}

/** @param {unknown} value
 * @param {number} [status]
 * @returns {Response} */
function json(value, status = 200) {
  return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

/** @param {string | null} token */
function storage(token = null) {
  let stored = token;
  return { getItem: () => stored, setItem: (/** @type {string} */ _key, /** @type {string} */ value) => void (stored = value), get value() { return stored; } };
}

const now = async () => undefined;

test("a newcomer gets a session, which is stored and sent along", async () => {
  const store = storage();
  const { calls, fetch } = fake(({ path }) => (path === "session" ? json({ session: "one" }) : json({ name: "a.png" })));
  const client = new Client(BASE, { fetch, storage: store });
  assert.equal((await client.session()).session, "one");
  await client.upload(new Blob(["x"]), "my cup & saucer.png");
  assert.equal(store.value, "one");
  assert.deepEqual(calls.map(({ method, path, session }) => [method, path, session]), [
    ["POST", "session", null],
    ["POST", "pictures?title=my%20cup%20%26%20saucer.png", "one"],
  ]);
});

test("a stored session is asked for, and replaced where the server has forgotten it", async () => {
  const { calls, fetch } = fake(({ method, session }) => (method === "GET" && session === "old" ? json({ detail: "unknown" }, 401) : json({ session: "new" })));
  const client = new Client(BASE, { fetch, storage: storage("old") });
  assert.equal((await client.session()).session, "new");
  assert.deepEqual(calls.map(({ method }) => method), ["GET", "POST"]);
});

test("calls that find their session gone share a new one and are made again, once", async () => {
  let renewals = 0;
  const { calls, fetch } = fake(({ path, session }) => {
    if (path === "session") return json({ session: `new${++renewals}` });
    return session === "old" ? json({ detail: "unknown session" }, 401) : json({ points: [[1, 2]] });
  });
  const client = new Client(BASE, { fetch, storage: storage("old") });
  /** @type {string[]} */
  const reported = [];
  client.onRenewed = ({ session }) => void reported.push(session);
  const found = await Promise.all([client.landmarks("a"), client.landmarks("b"), client.landmarks("c")]);
  assert.deepEqual(found, [[[1, 2]], [[1, 2]], [[1, 2]]]);
  assert.equal(renewals, 1);
  assert.ok(reported.length >= 1 && reported.every((session) => session === "new1"));
  assert.equal(calls.filter(({ path, session }) => path === "landmarks" && session === "new1").length, 3);
});

test("a server that answers 401 to everything is not asked for ever", async () => {
  const { calls, fetch } = fake(({ path }) => (path === "session" ? json({ session: "x" }) : json({ detail: "no" }, 401)));
  await assert.rejects(new Client(BASE, { fetch, storage: storage("old") }).schema(), /no/);
  assert.ok(calls.length <= 3);
});

test("errors are the server's sentences, or say what happened", async () => {
  const answers = [json({ detail: "The mask is empty." }, 422), new Response("<html>", { status: 502, statusText: "Bad Gateway" })];
  const { fetch } = fake((_, n) => /** @type {Response} */ (answers[n - 1]));
  const client = new Client(BASE, { fetch });
  await assert.rejects(client.submit({}, 1), (error) => error instanceof ApiError && error.status === 422 && error.message === "The mask is empty.");
  await assert.rejects(client.submit({}, 1), /502 Bad Gateway/);
  const broken = new Client(BASE, { fetch: async () => Promise.reject(new TypeError("failed")) });
  await assert.rejects(broken.session(), (error) => error instanceof ApiError && error.status === 0 && /does not answer/.test(error.message));
});

test("a newer preview aborts the older one", async () => {
  const { calls, fetch } = fake(
    ({ signal }, n) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        if (n === 2) resolve(new Response("png", { headers: { "X-Box": "1,2,30,40" } }));
      }),
  );
  const client = new Client(BASE, { fetch });
  const first = client.preview({ a: 1 });
  const second = client.preview({ a: 2 });
  await assert.rejects(first, isAbort);
  assert.deepEqual((await second).box, [1, 2, 30, 40]);
  assert.deepEqual(calls.map(({ body }) => body), [{ recipe: { a: 1 } }, { recipe: { a: 2 } }]);
});

const JOBS = [
  { id: "j", state: "waiting", words: "größer 🐉" },
  { id: "j", state: "running", words: "a\nb" },
  { id: "j", state: "done", words: "" },
];
const STREAM = `: hello\n\n${JOBS.map((job, k) => `event: job\r\nid: ${k}\r\ndata: ${JSON.stringify(job)}\r\n\r\n`).join("")}`;

test("events are the same wherever the text is cut", () => {
  const whole = new EventParser().feed(STREAM);
  assert.deepEqual(whole.map(({ data }) => JSON.parse(data)), JOBS);
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new EventParser();
    assert.deepEqual([...parser.feed(STREAM.slice(0, cut)), ...parser.feed(STREAM.slice(cut))], whole, `cut at ${cut}`);
  }
});

test("data of several lines is joined, comments and unfinished events are nothing", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.feed("data: a\ndata:b\ndata\n\n: c\n\nevent: job\ndata: half"), [{ event: "message", data: "a\nb\n" }]);
});

test("a job is followed through a stream cut at any byte", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { fetch } = fake(() => new Response(streamOf([bytes.slice(0, cut), bytes.slice(cut)])));
    /** @type {unknown[]} */
    const reported = [];
    await new Client(BASE, { fetch, wait: now }).follow("j", (job) => void reported.push(job));
    assert.deepEqual(reported, JOBS, `cut at ${cut}`);
  }
});

test("a job is not over before what is done with its end is", async () => {
  const { fetch } = fake(() => new Response(streamOf([new TextEncoder().encode(STREAM)])));
  let shown = 0;
  await new Client(BASE, { fetch, wait: now }).follow("j", async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    shown += 1;
  });
  assert.equal(shown, JOBS.length);
});

/** @param {Uint8Array[]} chunks
 * @returns {ReadableStream<Uint8Array>} */
function streamOf(chunks) {
  return new ReadableStream({
    start(controller) {
      chunks.filter(({ length }) => length > 0).forEach((chunk) => controller.enqueue(chunk));
      controller.close();
    },
  });
}

test("a stream that breaks is opened again, one that keeps breaking is asked for", async () => {
  const part = new TextEncoder().encode(STREAM.slice(0, 80));
  const { calls, fetch } = fake(({ path }, n) => {
    if (path === "jobs/j/events") return n === 2 ? json({ detail: "busy" }, 503) : new Response(streamOf([part]));
    return json(n < 6 ? JOBS[1] : JOBS[2]);
  });
  /** @type {string[]} */
  const states = [];
  await new Client(BASE, { fetch, wait: now }).follow("j", ({ state }) => void states.push(state));
  assert.equal(states.at(-1), "done");
  assert.deepEqual(calls.map(({ path }) => path), ["jobs/j/events", "jobs/j/events", "jobs/j/events", "jobs/j", "jobs/j", "jobs/j"]);
});

test("a server that starts again during a job is waited for, one that stays away is reported", async () => {
  const { fetch } = fake((_, n) => (n < 30 ? Promise.reject(new TypeError("refused")) : json({ id: "j", state: "interrupted" })));
  /** @type {string[]} */
  const states = [];
  const client = new Client(BASE, { fetch, wait: now });
  client.onAway = (isAway) => void states.push(isAway ? "away" : "there");
  await client.follow("j", ({ state }) => void states.push(state));
  assert.deepEqual(states, ["away", "there", "interrupted"]);
  const gone = new Client(BASE, { fetch: async () => Promise.reject(new TypeError("refused")), wait: now });
  await assert.rejects(gone.follow("j", () => undefined), /does not answer/);
});

test("a job that the server does not know is reported, not waited for", async () => {
  const { fetch } = fake(() => json({ detail: "There is no such job." }, 404));
  await assert.rejects(new Client(BASE, { fetch, wait: now }).follow("j", () => undefined), /no such job/);
});

test("a frame that is not there yet is nothing", async () => {
  const { fetch } = fake(() => json({ detail: "none yet" }, 404));
  assert.equal(await new Client(BASE, { fetch }).frame("j"), null);
});

test("painting adds to a mask or takes away from it, as much as it is opaque", () => {
  const painted = new Uint8ClampedArray([255, 255, 255, 255, 255, 255, 255, 128, 0, 0, 0, 0, 255, 255, 255, 255]);
  const old = () => new Uint8ClampedArray([0, 0, 0, 255, 50, 50, 50, 255, 200, 200, 200, 255, 255, 255, 255, 255]);
  const [added, removed] = [old(), old()];
  mixGrey(added, painted, "add");
  mixGrey(removed, painted, "remove");
  assert.deepEqual([...added].filter((_, k) => k % 4 === 0), [255, 128, 200, 255]);
  assert.deepEqual([...removed].filter((_, k) => k % 4 === 0), [0, 50, 200, 0]);
});
