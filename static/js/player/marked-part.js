// A part of a clip between two points, which can be played again and again.

const SHORTEST = 0.1; // seconds; two points that are nearer are one click

/** Tells by "change". The buttons are those of the player that have data-mark; it works without any. */
export class MarkedPart extends EventTarget {
  #player;
  #start = 0;
  #end = Infinity;
  #repeats = false;

  constructor(player) {
    super();
    this.#player = player;
    player.addEventListener("click", ({ target }) => this.#press(target.closest("[data-mark]")?.dataset.mark));
    player.hear("ended", () => this.#again());
  }

  /** Seconds; the whole clip when nothing is marked. */
  get start() {
    return this.#start;
  }

  get end() {
    return Math.min(this.#end, this.#player.whole);
  }

  get isMarked() {
    return this.#start > 0 || this.#end < this.#player.whole;
  }

  mark(start, end) {
    this.#start = Math.max(0, start);
    this.#end = end - this.#start < SHORTEST ? Infinity : end;
    this.#changed();
  }

  /** Whole, and played once. */
  clear() {
    this.#repeats = false;
    this.mark(0, Infinity);
  }

  /** Back to the start of a part that repeats, once its end is passed. */
  keepWithin() {
    const { audio } = this.#player;
    if (this.#repeats && !audio.paused && audio.currentTime >= this.end) audio.currentTime = this.#start;
  }

  #again() {
    if (!this.#repeats) return;
    this.#player.audio.currentTime = this.#start;
    this.#player.play();
  }

  #press(what) {
    const at = this.#player.audio.currentTime;
    if (what === "start") this.mark(at, this.#end > at ? this.#end : Infinity);
    else if (what === "end") this.mark(this.#start < at ? this.#start : 0, at);
    else if (what === "none") this.mark(0, Infinity);
    else if (what === "repeat") this.#toggleRepeat();
  }

  #toggleRepeat() {
    this.#repeats = !this.#repeats;
    if (this.#repeats) {
      if (this.isMarked) this.#player.moveTo(this.#start);
      this.#player.play();
    }
    this.#changed();
  }

  #changed() {
    this.#player.querySelector("[data-mark=repeat]")?.setAttribute("aria-pressed", this.#repeats);
    this.#player.querySelector("[data-mark=none]")?.toggleAttribute("hidden", !this.isMarked);
    this.dispatchEvent(new Event("change"));
  }
}
