// The box for what is said: a draft that outlives a reload, and words that a button puts in.

const BEGINNING = "draft:";
const FORGOTTEN_AFTER = 24 * 3600 * 1000; // the clip is lent to others by then

/** `store` keeps drafts by assignment, on this device alone. */
export class TranscriptBox {
  #box;
  #store;
  #key = null;

  constructor(box, store) {
    this.#box = box;
    this.#store = store;
    this.#forgetOld();
    box.addEventListener("input", () => this.#keep());
  }

  get text() {
    return this.#box.value.trim();
  }

  /** For this clip, with its draft, or what was written when there is none. */
  show(assignment, written = "") {
    this.#key = BEGINNING + assignment;
    this.#box.value = this.#store.get(this.#key)?.text ?? written;
  }

  /** Handed in, or let be: nothing of it stays. */
  discard() {
    if (this.#key) this.#store.remove(this.#key);
    this.#key = null;
    this.#box.value = "";
  }

  /** The clip comes again later: the draft stays, the box is emptied. */
  putAside() {
    this.#key = null;
    this.#box.value = "";
  }

  /** Where the caret is, as words of their own. */
  insert(word) {
    const { value, selectionStart: from, selectionEnd: to } = this.#box;
    const before = from && !/\s/.test(value[from - 1]) ? " " : "";
    const after = to === value.length || !/\s/.test(value[to]) ? " " : "";
    this.#box.setRangeText(before + word + after, from, to, "end");
    this.#keep();
    this.focus();
  }

  focus() {
    this.#box.focus();
  }

  #keep() {
    if (!this.#key) return;
    if (this.#box.value) this.#store.put(this.#key, { text: this.#box.value, at: Date.now() });
    else this.#store.remove(this.#key);
  }

  #forgetOld() {
    for (const key of this.#store.keys(BEGINNING)) {
      if (!(Date.now() - this.#store.get(key)?.at < FORGOTTEN_AFTER)) this.#store.remove(key);
    }
  }
}
