// Which buttons may be pressed: none between two clips, and an answer only once enough of the clip was heard.

// Seconds; a player reports its end a little early, and a part that was left out is never so short.
const TOLERANCE = 0.1;

/** Tells by "change" when all answers are open, or not any more. `mustHear` is the share of the clip, as the campaign sets it. */
export class AnswerGate extends EventTarget {
  #root;
  #player;
  #mustHear;
  #isOpen = false;

  /** Between two clips. */
  isBusy = true;
  /** The clip cannot be played: there is nothing to answer. */
  isUnplayable = false;
  /** It was heard before. */
  isWaived = false;

  constructor(root, player, mustHear) {
    super();
    this.#root = root;
    this.#player = player;
    this.#mustHear = mustHear;
    for (const event of ["timeupdate", "ended", "pause", "durationchange"]) {
      player.hear(event, () => this.update());
    }
  }

  get isOpen() {
    return this.#isOpen;
  }

  /** Of a button with data-hear: whole or half of what must be heard. */
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

  /** Whether this answer is held back for no other reason. */
  isToBeHeard(button) {
    return !this.isBusy && !this.isUnplayable && !this.isHeardFor(button);
  }

  // Not `disabled`: that would take the focus away from who answers by keyboard.
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

/** Seconds of the clip that have sounded, each counted once however often it was played. */
function heard({ played }) {
  let seconds = 0;
  for (let n = 0; n < played.length; n++) seconds += played.end(n) - played.start(n);
  return seconds;
}
