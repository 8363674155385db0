// <play-through>: plays the clips of the page one after the other; keys mark those that need a closer look. The form is
// the page's own.

import "../player/clip-player.js";
import { pressByKey } from "../keys/keys.js";

const PAUSE_MS = 400; // between two clips

class PlayThrough extends HTMLElement {
  #rows;
  #at = 0;
  #isPlayingAll = false;
  #heard = new Set(); // rows whose clip was played

  connectedCallback() {
    queueMicrotask(() => this.#start());
  }

  disconnectedCallback() {
    this.stopKeys?.();
  }

  #start() {
    this.#rows = [...this.querySelectorAll("[data-part=row]")];
    this.stopKeys = pressByKey(this, () => false);
    this.addEventListener("click", ({ target }) => this.#press(target.closest("[data-act]")?.dataset.act));
    // Events of audio elements do not bubble.
    this.addEventListener("play", ({ target }) => this.#playing(target), { capture: true });
    this.addEventListener("ended", ({ target }) => this.#ended(this.#rowOf(target)), { capture: true });
    this.addEventListener("submit", (event) => this.#submit(event));
    this.#show(0);
  }

  #submit(event) {
    const unheard = this.#rows.findIndex((row, n) => !this.#heard.has(n) && !row.querySelector("[name=leave]").checked);
    if (unheard < 0) return;
    event.preventDefault();
    this.#show(unheard);
    this.querySelector("[data-part=status]").textContent = this.dataset.hearFirst;
  }

  #playing(audio) {
    const row = this.#rowOf(audio);
    this.#heard.add(row);
    if (!audio.paused) this.#show(row);
  }

  #rowOf(element) {
    return this.#rows.findIndex((row) => row.contains(element));
  }

  #press(act) {
    if (act === "play-all") this.#toggle();
    if (act === "mark") this.#mark();
    if (act === "before") this.#play(Math.max(0, this.#at - 1));
    if (act === "after") this.#play(Math.min(this.#rows.length - 1, this.#at + 1));
  }

  get #player() {
    return this.#rows[this.#at].querySelector("clip-player");
  }

  #toggle() {
    this.#isPlayingAll = this.#player.audio.paused;
    if (this.#isPlayingAll) this.#player.play();
    else this.#player.audio.pause();
  }

  #mark() {
    const box = this.#rows[this.#at].querySelector("[name=leave]");
    box.checked = !box.checked;
    const label = box.closest("label").textContent.trim();
    this.querySelector("[data-part=status]").textContent = box.checked ? `${this.#at + 1}: ${label}` : "";
  }

  #play(row) {
    this.#player.audio.pause();
    this.#show(row);
    this.#player.moveTo(0);
    this.#player.play();
  }

  /** Goes on to the next clip, unless the person went elsewhere in the meantime. */
  #ended(row) {
    if (!this.#isPlayingAll || row !== this.#at || row + 1 === this.#rows.length) return void (this.#isPlayingAll = false);
    setTimeout(() => this.isConnected && this.#at === row && this.#isPlayingAll && this.#play(row + 1), PAUSE_MS);
  }

  #show(row) {
    this.#at = row;
    this.#rows.forEach((each, n) => (n === row ? each.setAttribute("aria-current", "true") : each.removeAttribute("aria-current")));
    this.#rows[row].scrollIntoView({ block: "nearest" });
    for (const near of this.#rows.slice(row, row + 2)) near.querySelector("audio").preload = "auto";
  }
}

customElements.define("play-through", PlayThrough);
