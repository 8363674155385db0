// The microphone, from pressing Record until it is released: not requested before, and not kept after.

// No processing: what a browser removes as echo or noise is often speech, and models must learn real rooms.
const RAW = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export function canRecord() {
  return Boolean(
    window.isSecureContext && navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode && window.AudioContext,
  );
}

/**
 * One recording. Dispatches "block" (detail: its loudest sample, 0 to 1, and the seconds so far), "full" at the
 * maximum length, and "cut" when the microphone is disconnected.
 */
export class Take extends EventTarget {
  #blocks = [];
  #length = 0;
  #longest;
  #context;
  #stream;
  #tape;
  #isReleased = false;

  constructor(longest) {
    super();
    this.#longest = longest;
  }

  get seconds() {
    return this.#context ? this.#length / this.#context.sampleRate : 0;
  }

  /** Requests the microphone and starts. Rejects with the browser's DOMException. */
  async start(worklet) {
    // Before any await, while the click still counts as a gesture; otherwise Safari keeps the context silent.
    this.#context = new AudioContext();
    try {
      const [stream] = await Promise.all([
        this.#open(),
        this.#context.audioWorklet.addModule(worklet),
        this.#context.resume(),
      ]);
      if (this.#isReleased) return;
      stream.getAudioTracks()[0].addEventListener("ended", () => this.#dispatch("cut"));
      this.#tape = new AudioWorkletNode(this.#context, "tape");
      this.#tape.port.onmessage = ({ data }) => this.#keep(data);
      // It outputs silence, but some browsers run a node only if it is connected to the speakers.
      this.#context.createMediaStreamSource(stream).connect(this.#tape).connect(this.#context.destination);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** The recording, { samples: Float32Array, rate }. Releases the microphone. */
  async stop() {
    const rest = new Promise((resolve) => {
      this.#tape.port.onmessage = ({ data }) => (data ? this.#keep(data) : resolve());
    });
    this.#tape.port.postMessage("stop");
    await rest;
    const rate = this.#context.sampleRate;
    const samples = new Float32Array(Math.min(this.#length, Math.round(this.#longest * rate)));
    let at = 0;
    for (const block of this.#blocks) {
      samples.set(block.subarray(0, samples.length - at), at);
      at = Math.min(at + block.length, samples.length);
    }
    this.release();
    return { samples, rate };
  }

  release() {
    this.#isReleased = true;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#context.state !== "closed") this.#context.close();
  }

  async #open() {
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: RAW });
    if (this.#isReleased) this.release(); // the page was left during the permission prompt
    return this.#stream;
  }

  #keep(block) {
    this.#blocks.push(block);
    this.#length += block.length;
    this.#dispatch("block", { loudest: loudest(block), seconds: this.seconds });
    if (this.seconds >= this.#longest) this.#dispatch("full");
  }

  #dispatch(event, detail) {
    if (!this.#isReleased) this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}

/** The largest absolute value. */
export function loudest(samples) {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}
