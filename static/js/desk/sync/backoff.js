// Waits between attempts: longer each time, and shorter when the network or the page comes back.

const SECONDS = [1, 2, 4, 8, 15, 30];

export class Backoff {
  #waiting = new Set();

  constructor() {
    window.addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.retryNow());
  }

  /** Resolves after a delay for this number of failed attempts, or on `retryNow`. */
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

  /** Ends all waits. */
  retryNow() {
    for (const done of [...this.#waiting]) done();
  }
}
