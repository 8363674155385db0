// <clip-player>: a play button, a position and a time in place of the browser's controls; if the page has them, also
// the waveform, a marked part to repeat, and the speed.

import { MarkedPart } from "./marked-part.js";
import { Waveform } from "./waveform.js";

class ClipPlayer extends HTMLElement {
  #next = null; // an audio element outside the page that preloads the next clip
  #speed = 1;

  connectedCallback() {
    this.audio = this.querySelector("audio");
    this.button = this.querySelector(".play");
    this.seek = this.querySelector(".seek");
    this.time = this.querySelector(".time");
    this.audio.controls = false;
    this.audio.hidden = true;
    for (const each of this.querySelectorAll(".transport")) each.hidden = false;
    const tools = this.querySelector(".more-tools");
    if (tools) tools.open = matchMedia("(min-width: 48rem)").matches; // on small screens they would push the answers down
    this.marked = new MarkedPart(this);
    this.wave = new Waveform(this);
    this.#listen();
    this.#draw();
  }

  #listen() {
    this.button.addEventListener("click", () => this.toggle());
    this.addEventListener("click", ({ target }) => this.#press(target.closest("button")));
    this.seek.addEventListener("input", () => this.moveTo(this.seek.value * this.duration));
    for (const event of ["play", "pause", "ended", "emptied", "loadedmetadata", "seeked"]) {
      this.on(event, () => this.#draw());
    }
    this.on("play", () => this.#follow());
    this.on("timeupdate", () => this.marked.keepWithin()); // also in a hidden page, which has no animation frames
    this.marked.addEventListener("change", () => this.#draw());
  }

  #press(button) {
    if (button?.dataset.move) this.move(Number(button.dataset.move));
    if (button?.dataset.act === "spectrogram") this.#toggleSpectrogram(button);
  }

  #toggleSpectrogram(button) {
    const isShown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", isShown);
    this.wave.showSpectrogram(isShown);
  }

  /** Events of the audio elements. They do not bubble, so this listens in the capture phase. */
  on(event, callback) {
    this.addEventListener(event, callback, { capture: true });
  }

  /** In seconds; the decoded sound's, until the audio element knows it. */
  get duration() {
    const { duration } = this.audio;
    return Number.isFinite(duration) ? duration : Number(this.dataset.seconds ?? 0);
  }

  /** Shows and plays a sound of sound.js; false when the browser requires a gesture first. */
  show(sound, { isPlayed = true } = {}) {
    this.dataset.seconds = sound.seconds;
    this.marked.clear();
    if (this.#next?.src === sound.url) this.#swap();
    else Object.assign(this.audio, { preload: "auto", src: sound.url });
    this.#adapt(this.audio);
    const playing = isPlayed ? this.play() : Promise.resolve(true);
    this.wave.show(sound); // after the sound, because drawing takes some milliseconds
    return playing;
  }

  /** Loads the next clip, so that it can start immediately. */
  preload(sound) {
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
    if (this.audio.error) this.audio.load(); // it could not be loaded, and may be by now
    try {
      await this.audio.play();
      return true;
    } catch (error) {
      // An AbortError means that another clip or a pause came first; the browser has not refused.
      return error.name !== "NotAllowedError";
    }
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  /** Moves by this many seconds; going back (less than 0) also plays. */
  move(seconds) {
    this.moveTo(this.audio.currentTime + seconds);
    if (seconds < 0) this.play();
  }

  moveTo(seconds) {
    if (this.duration) this.audio.currentTime = Math.max(0, Math.min(seconds, this.duration));
    this.#draw();
  }

  /** Also for later clips. */
  set speed(speed) {
    this.#speed = speed;
    this.#adapt(this.audio);
  }

  /** Stops and empties the player. */
  clear() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
    this.marked.clear();
    this.wave.show({ peaks: [] });
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
    const share = this.duration ? currentTime / this.duration : 0;
    this.seek.value = share;
    this.seek.style.setProperty("--share", share);
    this.wave.draw(share, this.marked);
    const time = `${clock(currentTime)} / ${clock(this.duration)}`;
    if (this.time.textContent !== time) {
      this.time.textContent = time;
      this.seek.setAttribute("aria-valuetext", time);
    }
  }
}

/** clock(65.4) is "1:05.4": with tenths, because clips are short. */
function clock(seconds) {
  const tenths = Math.round(10 * seconds);
  const rest = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
  return `${Math.floor(tenths / 600)}:${rest}.${tenths % 10}`;
}

/** Only one sound at a time: playing an example stops the clip, and playing the clip stops the example. */
function stopOthers({ target }) {
  for (const audio of document.querySelectorAll("clip-player audio")) if (audio !== target) audio.pause();
}

document.addEventListener("play", stopOthers, { capture: true });
customElements.define("clip-player", ClipPlayer);
