// Requests to the studio's own routes: JSON in, JSON out, with a time limit, and clear kinds of failure.

const PATIENCE = 15000; // milliseconds until a request counts as lost
const MOST_KEPT_ALIVE = 20000; // bytes; the browser finishes such a request even if the tab is closed meanwhile

/** No answer came: the connection is cut, the server is stopped, or it took too long. Trying again may help. */
export class NoConnection extends Error {}

/**
 * The server answered with an error. `status` is the HTTP status, `message` one line for the user, `answer` the whole
 * JSON answer, for example {message, revision, regions} for status 409.
 */
export class Refused extends Error {
  constructor(status, answer) {
    super(typeof answer?.message === "string" ? answer.message : `the studio answered with status ${status}`);
    this.status = status;
    this.answer = answer ?? {};
  }

  /** Whether the same request may succeed later. */
  get mayPass() {
    return this.status >= 500 || [403, 404, 408, 425, 429].includes(this.status);
  }
}

/** The routes of one project. Dispatches "address" when they moved, because the studio was started again. */
export class Server extends EventTarget {
  /** @param {string} address URL path of the routes, as `editor_routes.editor_url` returns it. */
  constructor(address) {
    super();
    this.current = address;
  }

  get address() {
    return this.current;
  }

  /** Use other routes of the same project; waiting saves are tried again at once. */
  set address(address) {
    if (!address || address === this.current) return;
    this.current = address;
    this.dispatchEvent(new Event("address"));
  }

  /** The whole URL of a place below the routes, such as "pictures/3". */
  url(place) {
    return new URL(`${this.address}/${place}`, document.baseURI).href;
  }

  /** The URL of a picture's thumbnail, a JPEG of at most 160 px. */
  thumbnailAddress(pictureId) {
    return this.url(`pictures/${pictureId}/thumbnail`);
  }

  /** {project, pictures, classes, attributes}: everything but the regions. */
  pictures() {
    return this.get("pictures");
  }

  /** Add a class: {classes}, or {similar: [names]} if there is a similar one and not `anyway`. */
  addClass(name, anyway = false) {
    return this.post("classes", { name, use_similar: anyway });
  }

  /** Mark a picture as done, or not. */
  setDone(pictureId, done) {
    return this.post(`pictures/${pictureId}/done`, { done });
  }

  /** Replace the (VIA file) attributes of a picture. */
  setFileAttributes(pictureId, attributes) {
    return this.post(`pictures/${pictureId}/file_attributes`, { attributes });
  }

  /**
   * The JSON answer of a GET. Throws `NoConnection` or `Refused`; an AbortError if `signal` was aborted.
   * @param {{signal?: AbortSignal, patience?: number}} options patience in milliseconds.
   */
  get(place, options = {}) {
    return this.request(place, { method: "GET" }, options);
  }

  /** The JSON answer of a POST of `body`, as `get`. With `keepAlive` a small request survives the end of the page. */
  post(place, body, options = {}) {
    const content = JSON.stringify(body);
    return this.request(place, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: content,
      keepalive: Boolean(options.keepAlive) && content.length < MOST_KEPT_ALIVE,
    }, options);
  }

  async request(place, init, { signal = null, patience = PATIENCE } = {}) {
    const timer = new AbortController();
    const timeout = setTimeout(() => timer.abort(), patience);
    const stop = () => timer.abort();
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    try {
      const response = await fetch(this.url(place), { ...init, signal: timer.signal, cache: "no-store" });
      const answer = await answerOf(response);
      if (!response.ok) throw new Refused(response.status, answer);
      if (answer === null) throw new NoConnection("the answer was not from the studio");
      return answer;
    } catch (error) {
      if (error instanceof Refused || error instanceof NoConnection) throw error;
      if (signal?.aborted) throw new DOMException("stopped", "AbortError");
      throw new NoConnection(timer.signal.aborted ? "the studio does not answer" : "no connection to the studio");
    } finally {
      clearTimeout(timeout);
      signal?.removeEventListener("abort", stop);
    }
  }
}

async function answerOf(response) {
  const text = await response.text();
  try {
    const answer = JSON.parse(text);
    return typeof answer === "object" ? answer : null;
  } catch {
    return null;
  }
}
