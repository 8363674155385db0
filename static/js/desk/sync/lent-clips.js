// The clips that are lent to this volunteer and not shown yet, fetched and decoded ahead.

import { Refused, get, post, whyWaiting } from "./api.js";
import { claim } from "./claims.js";

const AT_A_TIME = 5;
const FEW = 2;

/** Tells by "waiting" (detail: why, as an Outbox is stuck) and "going" when it goes on. */
export class LentClips extends EventTarget {
  #queue = [];
  #seen;
  #lend;
  #lending = null;
  #isPrefetching = false;
  #patience;
  #prepare;
  #skew;

  /**
   * `held` is what the page was drawn with: [{ id, audio, expires }]; `answered` are ids that are not to be
   * shown again; `now` is the server's time in milliseconds; `prepare` makes a sound of a blob.
   */
  constructor(lend, { held, answered, now, patience, prepare }) {
    super();
    this.#lend = lend;
    this.#patience = patience;
    this.#prepare = prepare;
    this.#skew = Date.now() - now;
    this.#seen = new Set(answered.map(String));
    this.#add(held);
  }

  /** The next clip { id, sound, wasHeard }, its sound the caller's to revoke; null when nothing is left for now. */
  async next() {
    for (;;) {
      const clip = this.#queue[0];
      if (!clip) {
        if (!(await this.#patiently(() => this.#more()))) return null;
        continue;
      }
      const sound = await this.#soundOf(clip);
      if (this.#queue[0] !== clip) continue; // answered in another tab, or taken, meanwhile
      this.#queue.shift();
      if (!sound) continue;
      this.#refill();
      this.#prefetch();
      return { id: clip.id, sound, wasHeard: clip.wasHeard };
    }
  }

  /** The sound of the clip that comes next, or null while it is not being loaded. */
  async comingSound() {
    try {
      return await (this.#queue[0]?.sound ?? null);
    } catch {
      return null; // `next` will find out why
    }
  }

  /** Of a clip that was shown before; it may be refused. */
  soundAgain(id) {
    return this.#fetch({ audio: `/api/v1/assignments/${id}/audio/` });
  }

  /** It comes next: somebody went back to an earlier one. */
  putBack({ id, sound, wasHeard }) {
    const isOurs = Promise.resolve(true);
    this.#queue.unshift({ id, expires: Infinity, sound: Promise.resolve(sound), isOurs, wasHeard });
  }

  /** It was answered in another tab. */
  drop(id) {
    this.#seen.add(String(id));
    this.#queue = this.#queue.filter((clip) => String(clip.id) !== String(id));
  }

  /** The sound, or null when this clip is not ours to hear any more. */
  async #soundOf(clip) {
    if (clip.expires <= Date.now() - this.#skew || !(await clip.isOurs)) return null;
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
        if (!(await clip.isOurs)) {
          this.drop(clip.id);
          continue;
        }
        clip.sound ??= this.#fetch(clip);
        await clip.sound;
      }
    } catch {
      // `next` fetches it again, and waits or leaves it out.
    }
    this.#isPrefetching = false;
  }

  #fetch(clip) {
    const sound = get(clip.audio)
      .then((response) => response.blob())
      .then(this.#prepare);
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
      this.#seen.add(String(id));
      this.#queue.push({ id, audio, expires: Date.parse(expires), sound: null, isOurs: claim(id) });
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
        this.#tell("waiting", whyWaiting(error));
        await this.#patience.wait(failures);
      }
    }
  }

  #tell(event, detail) {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}
