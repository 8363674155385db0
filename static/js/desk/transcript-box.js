// The text box for a transcript: its draft survives a reload, and buttons insert words into it.

const PREFIX = "draft:";
const LIFETIME_MS = 24 * 3600 * 1000; // after that the clip is lent to others

/** `store` keeps drafts by the clip's assignment, only on this device. */
export class TranscriptBox {
  #box;
  #store;
  #key = null;

  constructor(box, store) {
    this.#box = box;
    this.#store = store;
    this.#removeExpired();
    box.addEventListener("input", () => this.#save());
  }

  get text() {
    return this.#box.value.trim();
  }

  /** Opens the box for this clip, with its draft, or else with `text`. */
  show(assignment, text = "") {
    this.#key = PREFIX + assignment;
    this.#box.value = this.#store.get(this.#key)?.text ?? text;
  }

  /** Empties the box and removes the draft. */
  discard() {
    if (this.#key) this.#store.remove(this.#key);
    this.#key = null;
    this.#box.value = "";
  }

  /** Empties the box and keeps the draft: the clip is shown again later. */
  close() {
    this.#key = null;
    this.#box.value = "";
  }

  /** At the cursor, separated by spaces. */
  insert(word) {
    const { value, selectionStart: from, selectionEnd: to } = this.#box;
    const before = from && !/\s/.test(value[from - 1]) ? " " : "";
    const after = to === value.length || !/\s/.test(value[to]) ? " " : "";
    this.#box.setRangeText(before + word + after, from, to, "end");
    this.#save();
    this.focus();
  }

  /** In place of all of it. The focus stays where it is. */
  replace(text) {
    this.#box.value = text;
    this.#save();
  }

  focus() {
    this.#box.focus();
  }

  #save() {
    if (!this.#key) return;
    if (this.#box.value) this.#store.put(this.#key, { text: this.#box.value, at: Date.now() });
    else this.#store.remove(this.#key);
  }

  #removeExpired() {
    for (const key of this.#store.keys(PREFIX)) {
      if (!(Date.now() - this.#store.get(key)?.at < LIFETIME_MS)) this.#store.remove(key);
    }
  }
}
