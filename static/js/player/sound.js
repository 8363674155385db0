// Prepares a clip for listening: decodes it, trims silence at its ends, levels its loudness, and finds its peaks.

import { RATE, wav } from "../record/wav.js";

const FRAME = RATE / 100; // samples
// Silence is 40 dB or more below the loudest frame; soft consonants are about 30 dB below a vowel.
const SILENCE = 0.01;
const MARGIN_BEFORE = 0.15 * RATE;
const MARGIN_AFTER = 0.25 * RATE;
const LOUDNESS = 0.1; // root mean square of speech: -20 dB of full scale
const MAX_GAIN = 8;
const MAX_PEAK = 0.97;
const BARS = 200;

/**
 * { url, wav, seconds, peaks, from }: an object URL that the caller revokes, the same as a WAV (null if it cannot be
 * decoded), peaks from 0 to 1 (then none), and where in the clip the trimmed sound begins, in seconds.
 */
export async function prepare(blob, { trims, levels }) {
  try {
    const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await blob.arrayBuffer());
    const whole = decoded.getChannelData(0);
    const frames = loudnessOfFrames(whole);
    const heard = trims ? trimmed(whole, frames) : whole;
    const from = (heard.byteOffset - whole.byteOffset) / heard.BYTES_PER_ELEMENT / RATE;
    const samples = heard.slice();
    if (levels) amplify(samples, gainFor(whole, frames));
    const file = new Blob([wav(samples)], { type: "audio/wav" });
    return { url: URL.createObjectURL(file), wav: file, seconds: samples.length / RATE, peaks: peaksOf(samples), from };
  } catch {
    return { url: URL.createObjectURL(blob), wav: null, seconds: 0, peaks: [], from: 0 }; // the player reports the error
  }
}

/** Root mean square of each hundredth of a second. */
function loudnessOfFrames(samples) {
  return Float32Array.from({ length: Math.ceil(samples.length / FRAME) }, (_, n) => {
    const frame = samples.subarray(n * FRAME, (n + 1) * FRAME);
    return Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length);
  });
}

function trimmed(samples, frames) {
  const least = SILENCE * Math.max(...frames);
  const first = frames.findIndex((loudness) => loudness > least);
  const last = frames.reduce((found, loudness, n) => (loudness > least ? n : found), -1);
  if (first < 0) return samples; // the clip is silent: play it whole
  return samples.subarray(Math.max(0, first * FRAME - MARGIN_BEFORE), (last + 1) * FRAME + MARGIN_AFTER);
}

/** The gain that brings speech to LOUDNESS, without clipping. */
function gainFor(samples, frames) {
  const least = SILENCE * Math.max(...frames);
  const loud = frames.filter((loudness) => loudness > least);
  if (!loud.length) return 1;
  const loudness = Math.sqrt(loud.reduce((sum, each) => sum + each * each, 0) / loud.length);
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return Math.min(LOUDNESS / loudness, MAX_GAIN, MAX_PEAK / peak);
}

function amplify(samples, gain) {
  for (let n = 0; n < samples.length; n++) samples[n] *= gain;
}

/** The highest sample within each of BARS equal parts. */
function peaksOf(samples) {
  const step = samples.length / BARS;
  return Array.from({ length: BARS }, (_, n) =>
    samples.subarray(n * step, (n + 1) * step).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
  );
}
