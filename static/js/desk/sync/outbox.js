// Sends letters until the server has confirmed each, one tab at a time. Sending one twice does no harm.

import { Refused, patch, post, whyWaiting } from "./api.js";

/**
 * Tells by events, of this tab's letters and of other tabs': "sent" (detail: letter, annotation, isNew), "refused"
 * (letter, reason, status), "change" (see `size` and `stuck`).
 */
export class Outbox extends EventTarget {
  #letters;
  #patience;
  #channel;
  #lock;
  #isRunning = false;

  /** Why nothing leaves at the moment, or null: "logged-out", "other-account" or "unreachable". */
  stuck = null;

  constructor(account, letters, patience) {
    super();
    this.#letters = letters;
    this.#patience = patience;
    this.#lock = `tagger:outbox:${account}`;
    this.#channel = new BroadcastChannel(`tagger:outbox:${account}`);
    this.#channel.addEventListener("message", ({ data }) => this.#heardElsewhere(data));
    letters.watch(() => this.#tell("change"));
  }

  get size() {
    return this.#letters.size;
  }

  put(letter) {
    this.#letters.write(letter);
    this.#tell("change");
    this.run();
  }

  /**
   * Another answer to the same clip. What certainly has not left yet is changed here; after what may have
   * left, the change follows. `annotation` is the server's number of the answer, if it is known.
   */
  change(letter, annotation) {
    const unsent = this.#letters.about(letter.assignment).findLast(({ kind }) => kind in { annotation: 0, change: 0 });
    if (unsent && !unsent.tried) this.#letters.save({ ...unsent, body: letter.body });
    else if (unsent || annotation) this.#letters.write({ ...letter, kind: "change", annotation });
    else this.#letters.write({ ...letter, kind: "annotation" });
    this.#tell("change");
    this.run();
  }

  close() {
    this.#channel.close();
  }

  async run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let failures = 0; this.size; ) {
      await this.#alone(() => this.#round());
      if (!this.stuck) failures = 0;
      else await this.#patience.wait(failures++);
    }
    this.stuck = null;
    this.#isRunning = false;
    this.#tell("change");
  }

  /** Each letter once. What the server cannot take now holds up only what is about the same clip. */
  async #round() {
    const waiting = new Set();
    let why = null;
    for (const { key, assignment } of this.#letters.all()) {
      const letter = this.#letters.read(key); // as it is now: it may have been changed or sent meanwhile
      if (!letter || waiting.has(assignment)) continue;
      try {
        await this.#deliver(letter);
        this.stuck = null;
      } catch (error) {
        why = whyWaiting(error);
        waiting.add(assignment);
        if (!error.status) break; // without a network or a session no other would get through
      }
    }
    this.stuck = why;
    this.#tell("change");
  }

  async #deliver(letter) {
    const tried = letter.tried || Date.now();
    this.#letters.save({ ...letter, tried });
    try {
      const { annotation, isNew } = await send(letter);
      if (annotation) this.#address(letter.assignment, annotation);
      this.#settle("sent", { letter: { ...letter, tried }, annotation, isNew });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#settle("refused", { letter, reason: error.message, status: error.status });
    }
  }

  /** Changes that were written before the answer had a number. */
  #address(assignment, annotation) {
    for (const letter of this.#letters.about(assignment)) {
      if (letter.kind === "change") this.#letters.save({ ...letter, annotation });
    }
  }

  #settle(event, detail) {
    this.#letters.remove(detail.letter);
    this.#tell(event, detail);
    this.#channel.postMessage({ event, detail });
  }

  #heardElsewhere({ event, detail }) {
    this.#tell(event, detail);
    this.#tell("change");
  }

  /** Pages without a secure address have no locks: then two tabs may send the same letter, which is no error. */
  #alone(round) {
    return navigator.locks ? navigator.locks.request(this.#lock, round) : round();
  }

  #tell(event, detail = {}) {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}

/** The server's number of the answer, for letters that have one, and whether it was not there before. */
async function send({ kind, assignment, annotation, body }) {
  if (kind === "change") {
    if (!annotation) throw new Refused("", 404); // the answer itself was refused
    await patch(`/api/v1/annotations/${annotation}/`, body, { lasting: true });
    return { annotation, isNew: false };
  }
  const response = await post(`/api/v1/assignments/${assignment}/${kind}/`, body, { lasting: true });
  const given = kind === "annotation" ? (await response.json()).id : null;
  return { annotation: given, isNew: response.status === 201 };
}
