// Sends letters until the server has confirmed each of them. One tab sends at a time; sending twice does no harm.

import { Paused, Refused, patch, post, whyWaiting } from "./api.js";

/**
 * Dispatches, for the letters of all tabs: "sent" (detail: letter, annotation), "refused" (letter, reason,
 * status) and "change" (see `size` and `stuck`).
 */
export class Outbox extends EventTarget {
  #letters;
  #backoff;
  #channel;
  #lock;
  #isRunning = false;
  #isClosed = false;
  #paused = new Map(); // of letters that may be sent only later: key to { until, message }

  /** Why nothing can be sent now, or null: "paused" (only some letters), "logged-out", "other-account" or "unreachable". */
  stuck = null;

  constructor(account, letters, backoff) {
    super();
    this.#letters = letters;
    this.#backoff = backoff;
    this.#lock = `tagger:outbox:${account}`;
    this.#channel = new BroadcastChannel(`tagger:outbox:${account}`);
    this.#channel.addEventListener("message", ({ data }) => this.#forward(data));
    letters.watch(() => this.#dispatch("change"));
  }

  get size() {
    return this.#letters.size;
  }

  put(letter) {
    this.#letters.write(letter);
    this.#dispatch("change");
    this.run();
  }

  /**
   * Another answer to the same clip. A letter that was never tried is changed; one that may have arrived is followed by
   * a change. `annotation` is the id of the answer, if the server has given it.
   */
  change(letter, annotation) {
    const unsent = this.#letters.about(letter.assignment).filter(({ kind }) => kind in { annotation: 0, change: 0 }).pop();
    if (unsent && !unsent.tried) this.#letters.save({ ...unsent, body: letter.body });
    else if (unsent || annotation) this.#letters.write({ ...letter, kind: "change", annotation });
    else this.#letters.write({ ...letter, kind: "annotation" });
    this.#dispatch("change");
    this.run();
  }

  /**
   * What is not sent stays on the device, for the next outbox of this account, which is also told what becomes of the
   * letters that are on their way.
   */
  close() {
    this.#isClosed = true;
    if (!this.#isRunning) this.#channel.close();
  }

  /** The server's sentence about the letters that may be sent only later. */
  get sentence() {
    return [...this.#paused.values()].pop()?.message;
  }

  async run() {
    if (this.#isRunning) {
      if (this.stuck === "paused") this.#backoff.retryNow(); // a new letter does not wait for the paused ones
      return;
    }
    this.#isRunning = true;
    for (let failures = 0; this.size && !this.#isClosed; ) {
      await this.#locked(() => this.#round());
      if (!this.stuck) failures = 0;
      else if (this.stuck === "paused") await this.#backoff.waitUntil(this.#nextTry());
      else await this.#backoff.wait(failures++);
    }
    this.stuck = null;
    this.#isRunning = false;
    if (this.#isClosed) this.#channel.close();
    this.#dispatch("change");
  }

  /** Tries each letter once. A letter that must wait delays only letters about the same clip. */
  async #round() {
    for (const [key, { until }] of this.#paused) if (until <= Date.now()) this.#paused.delete(key);
    const waiting = new Set();
    let why = null;
    for (const { key, assignment } of this.#letters.all()) {
      const letter = this.#letters.read(key); // read again: it may have been changed or sent by another tab
      if (!letter || waiting.has(assignment)) continue;
      if (this.#paused.has(key)) {
        why ??= "paused";
        waiting.add(assignment);
        continue;
      }
      try {
        await this.#deliver(letter);
        this.stuck = null;
      } catch (error) {
        if (error instanceof Paused) this.#paused.set(key, error);
        why = whyWaiting(error);
        waiting.add(assignment);
        if (!error.status) break; // no network or no session: the others would fail too
      }
    }
    this.stuck = why;
    this.#dispatch("change");
  }

  #nextTry() {
    return Math.min(...[...this.#paused.values()].map(({ until }) => until));
  }

  async #deliver(letter) {
    const tried = letter.tried || Date.now();
    this.#letters.save({ ...letter, tried });
    try {
      const annotation = await send(letter);
      if (annotation) this.#addId(letter.assignment, annotation);
      this.#finish("sent", { letter: { ...letter, tried }, annotation });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#finish("refused", { letter, reason: error.message, status: error.status });
    }
  }

  /** Adds the answer's id to changes that were written before it was known. */
  #addId(assignment, annotation) {
    for (const letter of this.#letters.about(assignment)) {
      if (letter.kind === "change") this.#letters.save({ ...letter, annotation });
    }
  }

  #finish(event, detail) {
    this.#paused.delete(detail.letter.key);
    this.#letters.remove(detail.letter);
    this.#dispatch(event, detail);
    this.#channel.postMessage({ event, detail });
  }

  #forward({ event, detail }) {
    if (this.#isClosed) return;
    this.#dispatch(event, detail);
    this.#dispatch("change");
  }

  /** Without HTTPS there are no locks: two tabs may then send the same letter, which does no harm. */
  #locked(round) {
    return navigator.locks ? navigator.locks.request(this.#lock, round) : round();
  }

  #dispatch(event, detail = {}) {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}

/** Returns the id of the answer, or null for letters that have none. */
async function send({ kind, assignment, annotation, body }) {
  if (kind === "change") {
    if (!annotation) throw new Refused("", 404); // the answer itself was refused
    await patch(`/api/v1/annotations/${annotation}/`, body, { keepalive: true });
    return annotation;
  }
  const response = await post(`/api/v1/assignments/${assignment}/${kind}/`, body, { keepalive: true });
  return kind === "annotation" ? (await response.json()).id : null;
}
