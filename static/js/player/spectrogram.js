// A spectrogram: time from left to right, pitch from bottom to top, and how loud it is in the colours of the page.
// Loaded only when somebody asks for it.

const WINDOW = 512; // samples: 32 ms at 16 kHz, enough to tell the voices' harmonics apart
const COLUMNS = 480;
const RANGE = 65; // decibels below the loudest that are still drawn
const HEADER = 44; // bytes of the WAV files that sound.js makes

const HANN = Float32Array.from({ length: WINDOW }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));

/** Draws a sound's WAV into the canvas; `colours` go from silence to the loudest. */
export async function draw(canvas, wav, colours) {
  const samples = new Int16Array((await wav.arrayBuffer()).slice(HEADER));
  const columns = Math.max(1, Math.min(COLUMNS, Math.ceil(samples.length / 64)));
  const rows = WINDOW / 2;
  const levels = Array.from({ length: columns }, (_, n) => levelsAt(samples, (n * samples.length) / columns));
  const loudest = levels.reduce((most, column) => column.reduce((a, b) => Math.max(a, b), most), -Infinity);
  Object.assign(canvas, { width: columns, height: rows });
  const pen = canvas.getContext("2d");
  const shades = shadesOf(pen, colours);
  const image = pen.createImageData(columns, rows);
  levels.forEach((column, x) => {
    column.forEach((level, bin) => {
      const share = Math.max(0, 1 - (loudest - level) / RANGE);
      image.data.set(shades[Math.round(share * 255)], 4 * ((rows - 1 - bin) * columns + x));
    });
  });
  pen.putImageData(image, 0, 0);
}

/** Decibels of each frequency, from 0 to half of the rate, in the window around this sample. */
function levelsAt(samples, middle) {
  const start = Math.round(middle - WINDOW / 2);
  const re = Float32Array.from(HANN, (weight, n) => weight * (samples[start + n] ?? 0));
  const im = new Float32Array(WINDOW);
  transform(re, im);
  return Float32Array.from({ length: WINDOW / 2 }, (_, n) => 10 * Math.log10(re[n] ** 2 + im[n] ** 2 + 1));
}

/** The fast Fourier transform in place (Cooley and Tukey 1965), for a power of two. */
function transform(re, im) {
  const size = re.length;
  for (let n = 1, mirrored = 0; n < size; n++) {
    let bit = size >> 1;
    for (; mirrored & bit; bit >>= 1) mirrored ^= bit;
    mirrored ^= bit;
    if (n < mirrored) [re[n], re[mirrored]] = [re[mirrored], re[n]];
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const angle = (-Math.PI * k) / half;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      for (let n = k; n < size; n += 2 * half) {
        const m = n + half;
        const [x, y] = [re[m] * cos - im[m] * sin, re[m] * sin + im[m] * cos];
        [re[m], im[m]] = [re[n] - x, im[n] - y];
        re[n] += x;
        im[n] += y;
      }
    }
  }
}

/** 256 colours between the given ones. The canvas reads any colour that CSS has. */
function shadesOf(pen, colours) {
  const stripe = pen.createLinearGradient(0, 0, 256, 0);
  colours.forEach((colour, n) => stripe.addColorStop(n / (colours.length - 1), colour));
  const canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 1 });
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  brush.fillStyle = stripe;
  brush.fillRect(0, 0, 256, 1);
  const { data } = brush.getImageData(0, 0, 256, 1);
  return Array.from({ length: 256 }, (_, n) => data.slice(4 * n, 4 * n + 4));
}
