// From the microphone's samples to the file that is sent: 16 kHz, mono, 16-bit WAV. Pure functions.

export const RATE = 16_000;

// Zero crossings of the filter on each side: more of them make its cutoff steeper.
const CROSSINGS = 24;
// The cutoff, as a share of the lower Nyquist frequency, so that the transition band ends where aliasing begins.
const EDGE = 0.94;

/**
 * Resamples `samples` (Float32Array at `rate`) to 16 kHz. Frequencies above 8 kHz are removed by a sinc filter with a
 * Blackman window; otherwise they would alias to tones that were not in the recording.
 */
export function resample(samples, rate) {
  if (rate === RATE) return samples;
  const step = rate / RATE;
  const cutoff = EDGE * Math.min(1, 1 / step);
  const reach = CROSSINGS / cutoff;
  const phases = phasesOf(rate);
  const kernels = Array.from({ length: phases }, (_, n) => kernel(((n * rate) / RATE) % 1, cutoff, reach));
  const out = new Float32Array(Math.round(samples.length / step));
  for (let n = 0; n < out.length; n++) {
    const weights = kernels[n % phases];
    const first = Math.floor((n * rate) / RATE) - Math.floor(reach);
    let sum = 0;
    for (let k = Math.max(0, -first); k < weights.length && first + k < samples.length; k++) {
      sum += weights[k] * samples[first + k];
    }
    out[n] = sum;
  }
  return out;
}

/** A WAV file (ArrayBuffer) from a Float32Array at 16 kHz, full scale at ±1. */
export function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, n) => {
    view.setInt16(44 + 2 * n, Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))), true);
  });
  return view.buffer;
}

/** After this many outputs, the filter is aligned with the input samples as at the start. */
function phasesOf(rate) {
  let [a, b] = [Math.round(rate), RATE];
  while (b) [a, b] = [b, a % b];
  return RATE / a;
}

/** The weights of the inputs around an output that is `fraction` of a step after one of them. */
function kernel(fraction, cutoff, reach) {
  const half = Math.floor(reach);
  const weights = Float64Array.from({ length: 2 * half + 2 }, (_, k) => {
    const at = k - half - fraction;
    if (Math.abs(at) > reach) return 0;
    const turn = (Math.PI * at) / reach;
    const window = 0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
    return window * (at ? Math.sin(Math.PI * cutoff * at) / (Math.PI * at) : cutoff);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
