// The notice about sending: that answers or clips wait, and why, and which answers were refused.

/** Uses the desk's parts paused, paused-text, unsent, unsent-text, ended, log-in, forget, refused and refused-text. */
export class SendingNotice {
  #desk;
  #outbox;
  #waiting = null;
  #hasWaited = false; // whether the page said that answers wait

  constructor(desk, outbox, backoff) {
    this.#desk = desk;
    this.#outbox = outbox;
    desk.part("try-now").addEventListener("click", () => backoff.retryNow());
    desk.part("refused-read").addEventListener("click", () => (desk.part("refused").hidden = true));
    outbox.addEventListener("change", () => this.draw());
  }

  /** Why clips cannot be loaded, and the server's sentence about it; null when they can again. */
  waitFor(waiting) {
    this.#waiting = waiting;
    this.draw();
  }

  draw() {
    this.#drawPause();
    const why = [this.#outbox.stuck, this.#waiting?.why].find((each) => each && each !== "paused");
    const { size } = this.#outbox;
    this.#announceSent(why, size);
    this.#desk.part("unsent").hidden = !why;
    const isOver = why === "logged-out" || why === "other-account";
    for (const part of ["log-in", "ended", "forget"]) this.#desk.part(part).hidden = !isOver;
    this.#desk.hideUntilBack(isOver);
    if (!why) return;
    const word = why === "unreachable" && !size ? "no-clips" : why;
    this.#desk.part("unsent-text").textContent = `${this.#desk.word(word)} ${size || ""}`;
  }

  /** A quota is used up: it continues by itself. */
  #drawPause() {
    const isLending = this.#waiting?.why === "paused";
    const isPaused = isLending || this.#outbox.stuck === "paused";
    this.#desk.part("paused").hidden = !isPaused;
    const sentence = isPaused ? (isLending ? this.#waiting.sentence : this.#outbox.sentence) : "";
    // Written only when it changes, because a screen reader reads it then.
    const text = this.#desk.part("paused-text");
    if (text.textContent !== sentence) text.textContent = sentence;
    this.#desk.isPaused = isLending;
    if (isLending) this.#desk.clearStatus("loading");
  }

  /** Announces that everything was sent, if the page had said that answers wait. */
  #announceSent(why, size) {
    const isOver = !why && !size;
    if (isOver && this.#hasWaited && this.#desk.part("refused").hidden) this.#desk.announce(this.#desk.word("all-sent"));
    this.#hasWaited = !isOver && (this.#hasWaited || Boolean(why && size));
  }

  refuse(reason) {
    this.refusal = `${this.#desk.word("not-taken")} ${reason}`;
  }

  /** What is said about a refused answer, until somebody has read it. */
  get refusal() {
    return this.#desk.part("refused").hidden ? "" : this.#desk.part("refused-text").textContent;
  }

  set refusal(text) {
    this.#desk.part("refused-text").textContent = text;
    this.#desk.part("refused").hidden = !text;
  }
}
