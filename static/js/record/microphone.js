// The microphone, from the press on Record until it is let go: nothing is asked for before, nothing held after.

// As it is: what a browser takes for echo or noise is often speech, and models are to learn real rooms.
const RAW = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export function canRecord() {
  return Boolean(
    window.isSecureContext && navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode && window.AudioContext,
  );
}

/**
 * One take. Tells by "block" (detail: its loudest sample, 0 to 1, and the seconds so far), "full" at the
 * longest, and "cut" when the microphone goes away.
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

  /** Asks for the microphone and begins. Rejects with the browser's DOMException. */
  async start(worklet) {
    // Made before anything is waited for, while the press still counts as a gesture: else Safari keeps it silent.
    this.#context = new AudioContext();
    try {
      const [stream] = await Promise.all([
        this.#open(),
        this.#context.audioWorklet.addModule(worklet),
        this.#context.resume(),
      ]);
      if (this.#isReleased) return;
      stream.getAudioTracks()[0].addEventListener("ended", () => this.#tell("cut"));
      this.#tape = new AudioWorkletNode(this.#context, "tape");
      this.#tape.port.onmessage = ({ data }) => this.#keep(data);
      // Its output is silence; without a way to the speakers some browsers would not run it.
      this.#context.createMediaStreamSource(stream).connect(this.#tape).connect(this.#context.destination);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** What was recorded: { samples: Float32Array, rate }. The microphone is let go. */
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
    if (this.#isReleased) this.release(); // the page was left while the browser asked
    return this.#stream;
  }

  #keep(block) {
    this.#blocks.push(block);
    this.#length += block.length;
    this.#tell("block", { loudest: loudest(block), seconds: this.seconds });
    if (this.seconds >= this.#longest) this.#tell("full");
  }

  #tell(event, detail) {
    if (!this.#isReleased) this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}

/** The largest distance from zero. */
export function loudest(samples) {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}
