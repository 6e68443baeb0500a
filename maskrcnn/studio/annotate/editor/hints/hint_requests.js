// Hints that the server computes in a thread: asked for, followed by their progress, and stopped.

import { Refused } from "../server.js";

const PAUSE = 80; // milliseconds between two questions for the progress; each one waits on the server too
const PATIENCE = 30000; // milliseconds of one request: the first use of a network loads it

/** One kind of hint of an editor: at most one request of it runs, and a new one stops the one before. */
export class HintRequests {
  constructor(editor) {
    this.editor = editor;
    this.control = null;
  }

  get isRunning() {
    return this.control !== null;
  }

  /** Stop what runs. */
  stop() {
    this.control?.abort();
    this.control = null;
  }

  /**
   * Ask for a hint, and wait for its result. Null if it was stopped, or if there is none; the reason is said then.
   * @param {string} place the route, such as "hints/box".
   * @param {string} words what is being done, such as "Outlining".
   */
  async run(place, body, words) {
    this.stop();
    const control = this.control = new AbortController();
    const work = this.followed(place, body, control.signal, (job) => shown.progress(...progressOf(job, words)));
    const shown = this.editor.busy(words, work.catch(() => {}), () => control.abort());
    try {
      return await work;
    } catch (error) {
      if (error.name !== "AbortError") this.editor.say(error.message, "warning");
      return null;
    } finally {
      if (this.control === control) this.control = null;
    }
  }

  async followed(place, body, signal, tell) {
    const { server } = this.editor;
    let job = await server.post(place, body, { signal, patience: PATIENCE });
    const stop = () => server.request(`hints/jobs/${job.job}`, { method: "DELETE" }).catch(() => {});
    signal.addEventListener("abort", stop);
    try {
      while (job.state === "working") {
        tell(job);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        job = await server.get(`hints/jobs/${job.job}`, { signal, patience: PATIENCE });
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
    return resultOf(job);
  }
}

/** The result of a job that has ended. Throws an AbortError if it was stopped, `Refused` if it failed. */
export function resultOf(job) {
  if (job.state === "done") return job.result;
  if (job.state === "stopped") throw new DOMException("stopped", "AbortError");
  throw new Refused(422, { message: job.message });
}

/** [share or null, words] of a job, for `editor.busy`. */
export function progressOf({ done, total, words }, what) {
  return [total > 0 ? done / total : null, words && words !== "working" ? `${what}: ${words}` : what];
}
