// Results by photograph: those of an image, and those that came of its results.

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./types.js").Job} Job
 * @typedef {{name: string, title: string, jobs: Job[]}} Group  name: of the photograph; jobs: newest first, kept ones before
 */

/** The results by the photograph that they came of: that of the open image first, the others by their newest result.
 * @param {Pick<State, "jobs" | "pinned" | "session" | "history">} state
 * @returns {Group[]} */
export function groupsOf({ jobs, pinned, session, history }) {
  const open = history.present.picture;
  const titles = new Map([...(session?.pictures ?? []), ...(open === null ? [] : [open])].map(({ name, title }) => [name, title]));
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const job of [...jobs].reverse()) {
    const name = photographOf(jobs, job.recipe.image);
    const title = titles.get(name) ?? job.result?.title.replace(/ edited\.png$/, "") ?? "Another image";
    const group = groups.get(name) ?? { name, title, jobs: [] };
    group.jobs.push(job);
    groups.set(name, group);
  }
  const first = open === null ? null : photographOf(jobs, open.name);
  const isKept = (/** @type {Job} */ job) => Number(pinned.has(job.id));
  for (const { jobs: own } of groups.values()) own.sort((a, b) => isKept(b) - isKept(a));
  return [...groups.values()].sort((a, b) => Number(b.name === first) - Number(a.name === first));
}

/** The image that a chain of results began with.
 * @param {readonly Job[]} jobs
 * @param {string} name  of an image
 * @returns {string} */
function photographOf(jobs, name) {
  const seen = new Set();
  for (let now = name; !seen.has(now); ) {
    seen.add(now);
    const before = jobs.find((job) => isOf(job, now))?.recipe.image;
    if (before === undefined) return now;
    now = before;
  }
  return name;
}

/** Whether an image is a job's result, also with the input painted back into it.
 * @param {Job} job
 * @param {string | undefined} name
 * @returns {boolean} */
export function isOf({ result, painted }, name) {
  return name !== undefined && (result?.name === name || (painted ?? []).includes(name));
}
