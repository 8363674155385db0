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
    return this.#waitFor(SECONDS[Math.min(failures, SECONDS.length - 1)] * 1000);
  }

  /** Resolves at this time of the device, or on `retryNow`. */
  waitUntil(time) {
    return this.#waitFor(time - Date.now());
  }

  #waitFor(milliseconds) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#waiting.add(done);
    });
  }

  /** Ends all waits. */
  retryNow() {
    for (const done of [...this.#waiting]) done();
  }
}
