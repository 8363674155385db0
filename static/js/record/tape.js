// Runs in the audio thread: passes on the microphone's samples, block by block, until a message stops it.

const BLOCK = 1024; // frames: the level is updated about 40 times a second

class Tape extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK);
  #filled = 0;
  #runs = true;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#runs = false;
      this.port.postMessage(this.#block.slice(0, this.#filled));
      this.port.postMessage(null); // the end
    };
  }

  process([channels]) {
    if (!this.#runs) return false;
    const length = channels[0]?.length ?? 0;
    for (let n = 0; n < length; n++) {
      let sum = 0;
      for (const channel of channels) sum += channel[n];
      this.#block[this.#filled++] = sum / channels.length;
      if (this.#filled === BLOCK) {
        this.port.postMessage(this.#block.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("tape", Tape);
