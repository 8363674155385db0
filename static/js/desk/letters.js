// What the volunteer did and the server has not confirmed: kept on the device, each under a key of its own,
// so that tabs which write at once cannot overwrite each other.

const BEGINNING = "letter:";

/**
 * A letter is { key, kind, assignment, campaign, body, annotation, tried }. `kind` is annotation, skip, report,
 * or change, whose `annotation` is the server's number of the answer once that is known. `tried`: since
 * then (in milliseconds) it may have arrived, so it has to go again exactly as it is.
 */
export class Letters {
  #store;
  #last = 0;

  constructor(store) {
    this.#store = store;
  }

  get size() {
    return this.#store.keys(BEGINNING).length;
  }

  get areLasting() {
    return this.#store.isLasting;
  }

  /** All, in the order of writing. */
  all() {
    return this.#store.keys(BEGINNING).map((key) => this.read(key)).filter(Boolean);
  }

  /** As it stands now, or null when it is gone. */
  read(key) {
    return this.#store.get(key);
  }

  write(letter) {
    this.#last = Math.max(this.#last + 1, Date.now());
    const different = Math.random().toString(36).slice(2, 8); // from another tab's in the same millisecond
    const key = `${BEGINNING}${this.#last}:${different}:${letter.assignment}`;
    this.save({ annotation: null, tried: 0, ...letter, key });
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

  /** Calls back when another tab wrote (with the assignment) or removed one (with null). */
  watch(callback) {
    this.#store.watch((key, isThere) => {
      if (key.startsWith(BEGINNING)) callback(isThere ? key.split(":").at(-1) : null);
    });
  }
}
