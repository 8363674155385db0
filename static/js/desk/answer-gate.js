// Which buttons may be pressed: none between two clips, and an answer only after enough of the clip was heard.

// Seconds. A player reports its end a little early; a part that someone skips is longer than this.
const TOLERANCE = 0.1;

/** Dispatches "change" when all answers become available or unavailable. `mustHear`: the campaign's share of the clip. */
export class AnswerGate extends EventTarget {
  #root;
  #player;
  #mustHear;
  #isOpen = false;

  /** Between two clips. */
  isBusy = true;
  /** The clip cannot be played, so it cannot be answered. */
  isUnplayable = false;
  /** Nothing needs to be heard: the clip was heard before. */
  isWaived = false;

  constructor(root, player, mustHear) {
    super();
    this.#root = root;
    this.#player = player;
    this.#mustHear = mustHear;
    for (const event of ["timeupdate", "ended", "pause", "durationchange"]) {
      player.on(event, () => this.update());
    }
  }

  get isOpen() {
    return this.#isOpen;
  }

  /** Whether enough was heard for this button: all that must be heard, or half of it, as its data-hear says. */
  isHeardFor(button) {
    const { hear } = button.dataset;
    const { audio } = this.#player;
    if (!hear || this.isWaived) return true;
    if (this.isUnplayable || !Number.isFinite(audio.duration)) return false;
    const share = hear === "half" ? this.#mustHear / 2 : this.#mustHear;
    return heard(audio) >= share * audio.duration - TOLERANCE;
  }

  isLocked(button) {
    return button?.getAttribute("aria-disabled") === "true";
  }

  /** Whether hearing more of the clip is all that this answer waits for. */
  needsMoreHearing(button) {
    return !this.isBusy && !this.isUnplayable && !this.isHeardFor(button);
  }

  // Not `disabled`, which would take the focus away from people who use a keyboard.
  update() {
    for (const button of this.#root.querySelectorAll("form button, [data-reason]")) {
      const locked = this.isBusy || (button.dataset.hear && this.isUnplayable) || !this.isHeardFor(button);
      if (locked) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    const wasOpen = this.#isOpen;
    this.#isOpen = [...this.#root.querySelectorAll("[data-hear]")].every((button) => this.isHeardFor(button));
    if (this.#isOpen !== wasOpen) this.dispatchEvent(new Event("change"));
  }
}

/** Seconds of the clip that were played, each counted once. */
function heard({ played }) {
  let seconds = 0;
  for (let n = 0; n < played.length; n++) seconds += played.end(n) - played.start(n);
  return seconds;
}
