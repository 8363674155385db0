// What the volunteer did and the server has not confirmed yet: sent one after another, kept until it is.

import { LoggedOut, Refused, post } from "./api.js";

/** Tells by events: "sent" and "refused" (detail: the letter, and why), "change" (see `size` and `stuck`). */
export class Outbox extends EventTarget {
  #letters = [];
  #running = false;
  #patience;

  /** Why nothing leaves at the moment, or null: "logged-out" or "unreachable". */
  stuck = null;

  constructor(patience) {
    super();
    this.#patience = patience;
  }

  get size() {
    return this.#letters.length;
  }

  /** A letter is { kind, path, body }. */
  put(letter) {
    this.#letters.push(letter);
    this.#tell("change");
    if (!this.#running) this.#run();
  }

  async #run() {
    this.#running = true;
    for (let failures = 0; this.#letters.length; ) {
      const letter = this.#letters[0];
      try {
        await post(letter.path, letter.body, { lasting: true });
        this.#settle("sent", { letter });
        failures = 0;
      } catch (error) {
        if (error instanceof Refused) {
          this.#settle("refused", { letter, reason: error.message });
          failures = 0;
        } else {
          this.stuck = error instanceof LoggedOut ? "logged-out" : "unreachable";
          this.#tell("change");
          await this.#patience.wait(failures++);
        }
      }
    }
    this.#running = false;
  }

  #settle(event, detail) {
    this.#letters.shift();
    this.stuck = null;
    this.#tell(event, detail);
    this.#tell("change");
  }

  #tell(event, detail = {}) {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}
