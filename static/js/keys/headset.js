// The button of a headset and the media keys play and pause the clip.

export function listenToHeadset(player, title) {
  if (!("mediaSession" in navigator)) return;
  const { mediaSession } = navigator;
  mediaSession.metadata = new MediaMetadata({ title });
  const handlers = {
    play: () => player.play(),
    pause: () => player.audio.pause(),
    stop: () => player.audio.pause(),
    seekbackward: () => player.move(-1),
    seekforward: () => player.move(1),
  };
  for (const [name, handler] of Object.entries(handlers)) mediaSession.setActionHandler(name, handler);
}
