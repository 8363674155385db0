// Letters: what the volunteer did and the server has not confirmed yet. They are stored on the device, each under
// its own key, so that tabs that write at the same moment cannot overwrite each other's.

import { forgetSound } from "./sync/kept.js";

const PREFIX = "letter:";

/**
 * A letter is { key, kind, assignment, campaign, body, annotation, tried }. `kind` is annotation, skip, report, or
 * change; of a change, `annotation` is the id of the answer, once the server has given it. `tried` is the time
 * (in milliseconds) of the first attempt: the letter may have arrived since, so it must be sent again unchanged.
 */
export class Letters {
  #store;
  #last = 0;

  constructor(store) {
    this.#store = store;
  }

  get size() {
    return this.#store.keys(PREFIX).length;
  }

  get areLasting() {
    return this.#store.isLasting;
  }

  /** All letters, oldest first. */
  all() {
    return this.#store.keys(PREFIX).map((key) => this.read(key)).filter(Boolean);
  }

  /** The letter as it is stored now, or null when it is gone. */
  read(key) {
    return this.#store.get(key);
  }

  write(letter) {
    this.#last = Math.max(this.#last + 1, Date.now());
    const random = Math.random().toString(36).slice(2, 8); // in case another tab writes in the same millisecond
    const key = `${PREFIX}${this.#last}:${random}:${letter.assignment}`;
    this.save({ annotation: null, tried: 0, ...letter, key });
    forgetSound(this.#store, letter.assignment);
  }

  save(letter) {
    this.#store.put(letter.key, letter);
  }

  remove(letter) {
    this.#store.remove(letter.key);
  }

  about(assignment) {
    return this.all().filter((letter) => String(letter.assignment) === String(assignment));
  }

  /** Calls back with the assignment when another tab wrote a letter, and with null when it removed one. */
  watch(callback) {
    this.#store.watch((key, isThere) => {
      if (key.startsWith(PREFIX)) callback(isThere ? key.split(":").pop() : null);
    });
  }
}
