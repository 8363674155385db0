// The wave of a clip, drawn by wavesurfer.js: a press goes there, drawing along it marks a part. Keys have the
// slider and the buttons beside it for both, so the wave itself says nothing to a screen reader.

import WaveSurfer from "../vendor/wavesurfer.js/wavesurfer.esm.js";

const STILL = 6; // pixels; a finger that moves no further has pressed

export class Waveform {
  #player;
  #place;
  #surfer = null;
  #from = null;

  /** Does nothing for a player without a place for it. */
  constructor(player) {
    this.#player = player;
    this.#place = player.querySelector(".wave");
    if (!this.#place) return;
    // It only draws: sounds are played by the player's own elements, which are loaded before they are needed.
    this.#surfer = WaveSurfer.create({
      container: this.#place,
      cspNonce: this.#place.dataset.nonce, // its style element is let through by this alone
      height: "auto",
      interact: false,
      hideScrollbar: true,
      cursorWidth: 2,
      barWidth: 2,
      barGap: 1,
      barMinHeight: 1,
      ...coloursOf(this.#place),
    });
    this.#place.addEventListener("pointerdown", (event) => this.#down(event));
    this.#place.addEventListener("pointermove", (event) => this.#move(event));
    this.#place.addEventListener("pointerup", (event) => this.#up(event));
    this.#place.addEventListener("pointercancel", () => (this.#from = null));
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => this.#surfer.setOptions(coloursOf(this.#place)));
  }

  /** Peaks from 0 to 1; none empties it. */
  show(peaks) {
    if (peaks.length) this.#surfer?.load("", [peaks], this.#player.whole);
    else this.#surfer?.empty();
  }

  /** `share` of the clip is behind us; `part` is what is marked. */
  draw(share, part) {
    if (!this.#surfer) return;
    const { whole } = this.#player;
    const mark = this.#place.querySelector(".marked");
    mark.hidden = !(whole && part.isMarked);
    mark.style.left = `${(100 * part.start) / whole}%`;
    mark.style.width = `${(100 * (part.end - part.start)) / whole}%`;
    if (this.#surfer.getDecodedData()) this.#surfer.setTime(share * this.#surfer.getDuration());
  }

  #down(event) {
    if (!this.#player.whole || event.button) return;
    this.#from = event.clientX;
    this.#place.setPointerCapture(event.pointerId);
  }

  #move({ clientX }) {
    if (this.#from === null || Math.abs(clientX - this.#from) < STILL) return;
    const [start, end] = [this.#from, clientX].sort((a, b) => a - b).map((x) => this.#secondsAt(x));
    this.#player.marked.mark(start, end);
  }

  #up({ clientX }) {
    if (this.#from !== null && Math.abs(clientX - this.#from) < STILL) {
      this.#player.moveTo(this.#secondsAt(clientX));
    } else if (this.#from !== null) {
      this.#player.moveTo(this.#player.marked.start);
    }
    this.#from = null;
  }

  #secondsAt(x) {
    const { left, width } = this.#place.getBoundingClientRect();
    return Math.max(0, Math.min((x - left) / width, 1)) * this.#player.whole;
  }
}

function coloursOf(place) {
  const style = getComputedStyle(place);
  const token = (name) => style.getPropertyValue(name).trim();
  return {
    progressColor: token("--accent"),
    waveColor: token("--line-strong"),
    cursorColor: token("--ink"),
  };
}
