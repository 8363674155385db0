// Waiting between attempts: longer each time, and cut short when there is reason to hope.

const SECONDS = [1, 2, 4, 8, 15, 30];

export class Patience {
  #waiting = new Set();

  constructor() {
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  /** Resolves after the pause that fits the number of attempts that failed before, or on `hurry`. */
  wait(failures) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, SECONDS[Math.min(failures, SECONDS.length - 1)] * 1000);
      this.#waiting.add(done);
    });
  }

  /** Everybody who waits tries again now. */
  hurry() {
    for (const done of [...this.#waiting]) done();
  }
}
