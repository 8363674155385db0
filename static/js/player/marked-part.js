// A marked part of a clip, which can be repeated.

const SHORTEST = 0.1; // seconds; a shorter drag is a click

/** Dispatches "change". Its buttons are those of the player with data-mark, if there are any. */
export class MarkedPart extends EventTarget {
  #player;
  #start = 0;
  #end = Infinity;
  #repeats = false;

  constructor(player) {
    super();
    this.#player = player;
    player.addEventListener("click", ({ target }) => this.#press(target.closest("[data-mark]")?.dataset.mark));
    player.on("ended", () => this.#repeat());
  }

  /** In seconds; the whole clip when nothing is marked. */
  get start() {
    return this.#start;
  }

  get end() {
    return Math.min(this.#end, this.#player.duration);
  }

  get isMarked() {
    return this.#start > 0 || this.#end < this.#player.duration;
  }

  mark(start, end) {
    this.#start = Math.max(0, start);
    this.#end = end - this.#start < SHORTEST ? Infinity : end;
    this.#changed();
  }

  /** Removes the mark and stops repeating. */
  clear() {
    this.#repeats = false;
    this.mark(0, Infinity);
  }

  /** Jumps back to the start of a repeated part when its end has passed. */
  keepWithin() {
    const { audio } = this.#player;
    if (this.#repeats && !audio.paused && audio.currentTime >= this.end) audio.currentTime = this.#start;
  }

  #repeat() {
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
