// The clips that are lent to this volunteer and not shown yet, with their sound fetched ahead.

import { LoggedOut, Refused, get, post } from "./api.js";

const AT_A_TIME = 5;
const FEW = 2;

/** Tells by "waiting" (detail: why, "logged-out" or "unreachable") and "going" when it goes on. */
export class LentClips extends EventTarget {
  #queue = [];
  #seen = new Set();
  #lend;
  #lending = null;
  #isPrefetching = false;
  #patience;

  /** `held` is what the page was drawn with: [{ id, audio, expires }]. */
  constructor(lend, held, patience) {
    super();
    this.#lend = lend;
    this.#patience = patience;
    this.#add(held);
  }

  /** The next clip with `url`, an object URL that the caller revokes; null when nothing is left for now. */
  async next() {
    for (;;) {
      const clip = this.#queue[0];
      if (!clip) {
        if (!(await this.#patiently(() => this.#more()))) return null;
        continue;
      }
      const sound = await this.#soundOf(clip);
      this.#queue.shift();
      if (sound) {
        this.#refill();
        this.#prefetch();
        return { id: clip.id, url: URL.createObjectURL(sound) };
      }
    }
  }

  /** The WAV, or null when this clip is not ours to hear any more. */
  async #soundOf(clip) {
    if (clip.expires <= Date.now()) return null;
    try {
      return await this.#patiently(() => {
        clip.sound ??= this.#fetch(clip);
        return clip.sound;
      });
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  }

  /** One after another, in the order of need: on a slow line the next clip has it to itself. */
  async #prefetch() {
    if (this.#isPrefetching) return;
    this.#isPrefetching = true;
    try {
      for (let clip; (clip = this.#queue.find(({ sound }) => !sound)); ) {
        clip.sound = this.#fetch(clip);
        await clip.sound;
      }
    } catch {
      // `next` fetches it again, and waits or leaves it out.
    }
    this.#isPrefetching = false;
  }

  #fetch(clip) {
    const sound = get(clip.audio).then((response) => response.blob());
    sound.catch(() => {
      clip.sound = null;
    });
    return sound;
  }

  async #refill() {
    if (this.#queue.length > FEW) return;
    try {
      await this.#more();
    } catch {
      // The queue still holds some; `next` asks again, and waits, once it is empty.
    }
  }

  /** Borrow more; whether any came that were not shown yet. */
  #more() {
    this.#lending ??= post(this.#lend, { count: AT_A_TIME })
      .then((response) => response.json())
      .then(({ assignments }) => this.#add(assignments.map((lent) => ({ ...lent, expires: lent.expires_at }))))
      .finally(() => {
        this.#lending = null;
      });
    return this.#lending;
  }

  #add(lent) {
    const fresh = lent.filter(({ id }) => !this.#seen.has(String(id)));
    for (const { id, audio, expires } of fresh) {
      const clip = { id, audio, expires: Date.parse(expires), sound: null };
      this.#seen.add(String(id));
      this.#queue.push(clip);
    }
    this.#prefetch();
    return fresh.length > 0;
  }

  async #patiently(attempt) {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt();
        if (failures) this.#tell("going");
        return result;
      } catch (error) {
        if (error instanceof Refused) throw error;
        this.#tell("waiting", error instanceof LoggedOut ? "logged-out" : "unreachable");
        await this.#patience.wait(failures);
      }
    }
  }

  #tell(event, detail) {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}
