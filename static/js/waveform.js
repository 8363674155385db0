// The wave of a clip on a canvas: a press goes there, drawing along it marks a part. Keys have the slider and
// the buttons beside it for both, so the canvas itself says nothing to a screen reader.

const STILL = 6; // pixels; a finger that moves no further has pressed

export class Waveform {
  #player;
  #canvas;
  #peaks = [];
  #colours = null;
  #from = null;
  #drawn = [0, null];

  /** Does nothing for a player without a canvas. */
  constructor(player) {
    this.#player = player;
    this.#canvas = player.querySelector("canvas");
    if (!this.#canvas) return;
    this.#canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#up(event));
    this.#canvas.addEventListener("pointercancel", () => (this.#from = null));
    new ResizeObserver(() => this.draw(...this.#drawn)).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#colours = null;
      this.draw(...this.#drawn);
    });
  }

  /** Peaks from 0 to 1. */
  show(peaks) {
    this.#peaks = peaks;
    this.draw(0, null);
  }

  /** `share` of the clip is behind us; `part` is what is marked. */
  draw(share, part) {
    this.#drawn = [share, part];
    if (!this.#canvas?.clientWidth) return;
    const pen = this.#fittingPen();
    const { width, height } = this.#canvas;
    this.#colours ??= coloursOf(this.#canvas);
    const { whole } = this.#player;
    if (part?.isMarked && whole) {
      pen.fillStyle = this.#colours.marked;
      pen.fillRect((width * part.start) / whole, 0, (width * (part.end - part.start)) / whole, height);
    }
    const step = width / this.#peaks.length;
    this.#peaks.forEach((peak, n) => {
      const bar = Math.max(peak * height, 1);
      pen.fillStyle = (n + 0.5) / this.#peaks.length <= share ? this.#colours.played : this.#colours.ahead;
      pen.fillRect(n * step, (height - bar) / 2, Math.max(step * 0.7, 0.5), bar);
    });
    pen.fillStyle = this.#colours.here;
    pen.fillRect(Math.min(share * width, width - 2), 0, this.#peaks.length ? 2 : 0, height);
  }

  /** As many pixels as the screen has there; setting a canvas's width also empties it. */
  #fittingPen() {
    this.#canvas.width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
    return this.#canvas.getContext("2d");
  }

  #down(event) {
    if (!this.#player.whole || event.button) return;
    this.#from = event.offsetX;
    this.#canvas.setPointerCapture(event.pointerId);
  }

  #move({ offsetX }) {
    if (this.#from === null || Math.abs(offsetX - this.#from) < STILL) return;
    const [start, end] = [this.#from, offsetX].sort((a, b) => a - b).map((x) => this.#secondsAt(x));
    this.#player.marked.mark(start, end);
  }

  #up({ offsetX }) {
    if (this.#from !== null && Math.abs(offsetX - this.#from) < STILL) {
      this.#player.moveTo(this.#secondsAt(offsetX));
    } else if (this.#from !== null) {
      this.#player.moveTo(this.#player.marked.start);
    }
    this.#from = null;
  }

  #secondsAt(x) {
    return Math.max(0, Math.min(x / this.#canvas.clientWidth, 1)) * this.#player.whole;
  }
}

function coloursOf(canvas) {
  const style = getComputedStyle(canvas);
  const token = (name) => style.getPropertyValue(name).trim();
  return {
    played: token("--accent"),
    ahead: token("--line-strong"),
    marked: token("--accent-tint"),
    here: token("--ink"),
  };
}
