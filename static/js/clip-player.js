// <clip-player>: one play button, a position and a time in place of the browser's own controls.

class ClipPlayer extends HTMLElement {
  connectedCallback() {
    this.audio = this.querySelector("audio");
    this.button = this.querySelector(".play");
    this.seek = this.querySelector(".seek");
    this.time = this.querySelector(".time");
    this.audio.controls = false;
    this.audio.hidden = true;
    this.querySelector(".transport").hidden = false;
    this.button.addEventListener("click", () => this.toggle());
    this.seek.addEventListener("input", () => {
      if (this.audio.duration) this.audio.currentTime = this.seek.value * this.audio.duration;
      this.#draw();
    });
    for (const event of ["play", "pause", "ended", "emptied", "loadedmetadata", "seeked"]) {
      this.audio.addEventListener(event, () => this.#draw());
    }
    this.audio.addEventListener("play", () => this.#follow());
    this.#draw();
  }

  /** Plays from the start; false when the browser wants a gesture first. */
  async play(url) {
    if (url) this.audio.src = url;
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

  /** Silent and empty. */
  clear() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  #follow() {
    this.#draw();
    if (!this.audio.paused) requestAnimationFrame(() => this.#follow());
  }

  #draw() {
    const { paused, currentTime, duration } = this.audio;
    const whole = Number.isFinite(duration) ? duration : Number(this.dataset.seconds ?? 0);
    const state = paused ? "paused" : "playing";
    if (this.button.dataset.state !== state) {
      this.button.dataset.state = state;
      this.button.firstElementChild.textContent = paused ? this.button.dataset.play : this.button.dataset.pause;
    }
    this.seek.value = whole ? currentTime / whole : 0;
    const time = `${clock(currentTime)} / ${clock(whole)}`;
    if (this.time.textContent !== time) {
      this.time.textContent = time;
      this.seek.setAttribute("aria-valuetext", time);
    }
  }
}

/** clock(65.4) is "1:05" */
function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

customElements.define("clip-player", ClipPlayer);
