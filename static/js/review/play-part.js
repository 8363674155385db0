// Plays a part of the clip, once.

/** From `start` to `end`, in seconds of the sound; the part is marked meanwhile. */
export function playPart(player, start, end) {
  player.marked.mark(start, end);
  player.moveTo(start);
  player.play();
  const stop = () => {
    if (player.audio.paused || player.audio.currentTime < start - 0.1) return;
    if (player.audio.currentTime >= end) player.audio.pause();
    else requestAnimationFrame(stop);
  };
  requestAnimationFrame(stop);
}

/** Plays from this share of the speech, 0 to 1. Silence before and after it is not speech. */
export function playFromShare(player, { peaks, seconds }, share) {
  const least = 0.08 * Math.max(0, ...peaks);
  const loud = peaks.map((peak, n) => (peak > least ? n : null)).filter((n) => n !== null);
  const [first, last] = loud.length ? [loud[0], loud[loud.length - 1] + 1] : [0, 1];
  const parts = peaks.length || 1;
  player.moveTo((seconds * (first + share * (last - first))) / parts);
  player.play();
}
