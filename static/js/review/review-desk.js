// The review desk.
import "../player/clip-player.js";
