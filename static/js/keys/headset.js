// The button on a headset, and the media keys: they play and pause the clip.

export function listenToHeadset(player, title) {
  if (!("mediaSession" in navigator)) return;
  const { mediaSession } = navigator;
  mediaSession.metadata = new MediaMetadata({ title });
  const acts = {
    play: () => player.play(),
    pause: () => player.audio.pause(),
    stop: () => player.audio.pause(),
    seekbackward: () => player.move(-1),
    seekforward: () => player.move(1),
  };
  for (const [name, act] of Object.entries(acts)) mediaSession.setActionHandler(name, act);
}
