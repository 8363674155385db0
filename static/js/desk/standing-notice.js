// What the volunteer has to know of sending: that it waits and why, and what was not taken.

/** Over the parts unsent, unsent-text, log-in, refused and refused-text of a desk. */
export class StandingNotice {
  #desk;
  #outbox;
  #waiting = null;
  #hasWaited = false; // answers did, and the page said so

  constructor(desk, outbox, patience) {
    this.#desk = desk;
    this.#outbox = outbox;
    desk.part("try-now").addEventListener("click", () => patience.hurry());
    desk.part("refused-read").addEventListener("click", () => (desk.part("refused").hidden = true));
    outbox.addEventListener("change", () => this.draw());
  }

  /** Clips wait as well, for this reason; null: not any more. */
  waitFor(why) {
    this.#waiting = why;
    this.draw();
  }

  draw() {
    const why = this.#outbox.stuck ?? this.#waiting;
    const { size } = this.#outbox;
    this.#tellSent(why, size);
    this.#desk.part("unsent").hidden = !why;
    this.#desk.part("log-in").hidden = why !== "logged-out" && why !== "other-account";
    if (!why) return;
    const word = why === "unreachable" && !size ? "no-clips" : why;
    this.#desk.part("unsent-text").textContent = `${this.#desk.word(word)} ${size || ""}`;
  }

  /** That nothing waits any more, if it was told that something did. */
  #tellSent(why, size) {
    const isOver = !why && !size;
    if (isOver && this.#hasWaited && this.#desk.part("refused").hidden) this.#desk.tell(this.#desk.word("all-sent"));
    this.#hasWaited = !isOver && (this.#hasWaited || Boolean(why && size));
  }

  refuse(reason) {
    this.#desk.part("refused-text").textContent = `${this.#desk.word("not-taken")} ${reason}`;
    this.#desk.part("refused").hidden = false;
  }
}
