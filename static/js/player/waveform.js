// The waveform of a clip, drawn by wavesurfer.js: a click moves there, dragging marks a part. For the keyboard, the
// slider and the buttons next to it do the same, so screen readers ignore the waveform.

import WaveSurfer from "../vendor/wavesurfer.js/wavesurfer.esm.js";

const CLICK_DISTANCE = 6; // pixels; a longer movement is a drag

export class Waveform {
  #player;
  #container;
  #surfer = null;
  #from = null;
  #sound = { peaks: [] };
  #canvas = null; // of the spectrogram, while it is shown

  /** Does nothing if the player has no element for it. */
  constructor(player) {
    this.#player = player;
    this.#container = player.querySelector(".wave");
    if (!this.#container) return;
    // It only draws: the player's own audio elements play sounds, because they can be preloaded.
    this.#surfer = WaveSurfer.create({
      container: this.#container,
      cspNonce: this.#container.dataset.nonce, // the content security policy allows its style element only with this
      height: "auto",
      interact: false,
      hideScrollbar: true,
      cursorWidth: 2,
      barWidth: 3,
      barGap: 2,
      barRadius: 3,
      barMinHeight: 3,
      ...coloursOf(this.#container),
    });
    this.#container.addEventListener("pointerdown", (event) => this.#down(event));
    this.#container.addEventListener("pointermove", (event) => this.#move(event));
    this.#container.addEventListener("pointerup", (event) => this.#up(event));
    this.#container.addEventListener("pointercancel", () => (this.#from = null));
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => this.#colour());
  }

  /** A sound of sound.js; one without peaks clears the waveform. */
  show(sound) {
    const { peaks } = sound;
    this.#sound = sound;
    this.#container?.querySelector(".wave-drawing")?.remove(); // what the page showed without a script
    if (peaks.length) this.#surfer?.load("", [peaks], this.#player.duration);
    else this.#surfer?.empty();
    this.#drawSpectrogram();
  }

  /** In place of the bars. Its code is loaded now. */
  showSpectrogram(isShown) {
    this.#canvas?.remove();
    this.#canvas = isShown ? Object.assign(document.createElement("canvas"), { className: "spectrogram" }) : null;
    if (isShown) this.#container.prepend(this.#canvas);
    this.#colour();
  }

  async #drawSpectrogram() {
    const [canvas, sound] = [this.#canvas, this.#sound];
    if (!canvas) return;
    canvas.hidden = !sound.wav;
    if (!sound.wav) return;
    const { draw } = await import("./spectrogram.js");
    if (canvas === this.#canvas && sound === this.#sound) await draw(canvas, sound.wav, shadesOf(this.#container));
  }

  #colour() {
    const bars = this.#canvas && { progressColor: "transparent", waveColor: "transparent" };
    this.#surfer.setOptions({ ...coloursOf(this.#container), ...bars });
    this.#drawSpectrogram();
  }

  /** `share`: how much of the clip was played. `part`: the marked part. */
  draw(share, part) {
    if (!this.#surfer) return;
    const { duration } = this.#player;
    const mark = this.#container.querySelector(".marked");
    mark.hidden = !(duration && part.isMarked);
    mark.style.left = `${(100 * part.start) / duration}%`;
    mark.style.width = `${(100 * (part.end - part.start)) / duration}%`;
    if (this.#surfer.getDecodedData()) this.#surfer.setTime(share * this.#surfer.getDuration());
  }

  #down(event) {
    if (!this.#player.duration || event.button) return;
    this.#from = event.clientX;
    this.#container.setPointerCapture(event.pointerId);
  }

  #move({ clientX }) {
    if (this.#from === null || Math.abs(clientX - this.#from) < CLICK_DISTANCE) return;
    const [start, end] = [this.#from, clientX].sort((a, b) => a - b).map((x) => this.#secondsAt(x));
    this.#player.marked.mark(start, end);
  }

  #up({ clientX }) {
    if (this.#from !== null && Math.abs(clientX - this.#from) < CLICK_DISTANCE) {
      this.#player.moveTo(this.#secondsAt(clientX));
    } else if (this.#from !== null) {
      this.#player.moveTo(this.#player.marked.start);
    }
    this.#from = null;
  }

  #secondsAt(x) {
    const { left, width } = this.#container.getBoundingClientRect();
    return Math.max(0, Math.min((x - left) / width, 1)) * this.#player.duration;
  }
}

function coloursOf(container) {
  const [progressColor, waveColor, cursorColor] = tokens(container, "--accent", "--line-strong", "--ink");
  return { progressColor, waveColor, cursorColor };
}

/** From silence to the loudest. */
function shadesOf(container) {
  return tokens(container, "--sunken", "--accent", "--voice", "--voice-tint");
}

function tokens(element, ...names) {
  const style = getComputedStyle(element);
  return names.map((name) => style.getPropertyValue(name).trim());
}
