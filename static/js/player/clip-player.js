// <clip-player>: one play button, a position and a time in place of the browser's own controls; where the page
// has them, also the wave, a marked part to repeat, and the speed.

import { MarkedPart } from "./marked-part.js";
import { Waveform } from "./waveform.js";

class ClipPlayer extends HTMLElement {
  #next = null; // an element that has loaded the clip after this one, outside of the page
  #speed = 1;

  connectedCallback() {
    this.audio = this.querySelector("audio");
    this.button = this.querySelector(".play");
    this.seek = this.querySelector(".seek");
    this.time = this.querySelector(".time");
    this.audio.controls = false;
    this.audio.hidden = true;
    this.querySelector(".transport").hidden = false;
    const tools = this.querySelector(".more-tools");
    if (tools) tools.open = matchMedia("(min-width: 48rem)").matches; // else the answers would be far below
    this.marked = new MarkedPart(this);
    this.wave = new Waveform(this);
    this.#listen();
    this.#draw();
  }

  #listen() {
    this.button.addEventListener("click", () => this.toggle());
    this.addEventListener("click", ({ target }) => this.#press(target.closest("button")));
    this.seek.addEventListener("input", () => this.moveTo(this.seek.value * this.whole));
    for (const event of ["play", "pause", "ended", "emptied", "loadedmetadata", "seeked"]) {
      this.hear(event, () => this.#draw());
    }
    this.hear("play", () => this.#follow());
    this.hear("timeupdate", () => this.marked.keepWithin()); // also where no frames are drawn
    this.marked.addEventListener("change", () => this.#draw());
  }

  #press(button) {
    if (button?.dataset.move) this.move(Number(button.dataset.move));
  }

  /** What any clip's audio element tells; on the way down, as such events do not bubble up. */
  hear(event, callback) {
    this.addEventListener(event, callback, { capture: true });
  }

  /** Seconds; what was decoded knows it before the player does. */
  get whole() {
    const { duration } = this.audio;
    return Number.isFinite(duration) ? duration : Number(this.dataset.seconds ?? 0);
  }

  /** Show and play a sound as sound.js makes them; false when the browser wants a gesture first. */
  show(sound, { isPlayed = true } = {}) {
    this.dataset.seconds = sound.seconds;
    this.marked.clear();
    if (this.#next?.src === sound.url) this.#swap();
    else Object.assign(this.audio, { preload: "auto", src: sound.url });
    this.#adapt(this.audio);
    const playing = isPlayed ? this.play() : Promise.resolve(true);
    this.wave.show(sound.peaks); // after the sound: drawing takes some milliseconds
    return playing;
  }

  /** Load the clip that comes next, so that it sounds at once. */
  expect(sound) {
    this.#next ??= Object.assign(document.createElement("audio"), { hidden: true, preload: "auto" });
    if (this.#next.src !== sound.url) this.#next.src = sound.url;
  }

  #swap() {
    const before = this.audio;
    this.audio = this.#next;
    before.replaceWith(this.audio);
    this.#next = before;
  }

  #adapt(audio) {
    audio.defaultPlaybackRate = audio.playbackRate = this.#speed;
    audio.preservesPitch = true;
  }

  async play() {
    try {
      await this.audio.play();
      return true;
    } catch (error) {
      // AbortError: another clip or a pause came in between, which is no refusal.
      return error.name !== "NotAllowedError";
    }
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  /** Back (less than 0) or on by so many seconds; going back plays what is heard again. */
  move(seconds) {
    this.moveTo(this.audio.currentTime + seconds);
    if (seconds < 0) this.play();
  }

  moveTo(seconds) {
    if (this.whole) this.audio.currentTime = Math.max(0, Math.min(seconds, this.whole));
    this.#draw();
  }

  /** Also for the clips that come next. */
  set speed(speed) {
    this.#speed = speed;
    this.#adapt(this.audio);
  }

  /** Silent and empty. */
  clear() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
    this.marked.clear();
    this.wave.show([]);
  }

  #follow() {
    this.marked.keepWithin();
    this.#draw();
    if (!this.audio.paused) requestAnimationFrame(() => this.#follow());
  }

  #draw() {
    const { paused, currentTime } = this.audio;
    const state = paused ? "paused" : "playing";
    if (this.button.dataset.state !== state) {
      this.button.dataset.state = state;
      this.button.firstElementChild.textContent = paused ? this.button.dataset.play : this.button.dataset.pause;
    }
    const share = this.whole ? currentTime / this.whole : 0;
    this.seek.value = share;
    this.wave.draw(share, this.marked);
    const time = `${clock(currentTime)} / ${clock(this.whole)}`;
    if (this.time.textContent !== time) {
      this.time.textContent = time;
      this.seek.setAttribute("aria-valuetext", time);
    }
  }
}

/** clock(65.4) is "1:05.4": clips are short, so tenths tell. */
function clock(seconds) {
  const tenths = Math.round(10 * seconds);
  const rest = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
  return `${Math.floor(tenths / 600)}:${rest}.${tenths % 10}`;
}

/** One sound at a time: an example that is played stops the clip, and the other way round. */
function stopOthers({ target }) {
  for (const audio of document.querySelectorAll("clip-player audio")) if (audio !== target) audio.pause();
}

document.addEventListener("play", stopOthers, { capture: true });
customElements.define("clip-player", ClipPlayer);
