// The clips that are lent to this volunteer and not shown yet, fetched and decoded in advance.

import { Paused, Refused, get, isUnreached, post, whyWaiting } from "./api.js";
import { claim } from "./claims.js";

const BATCH_SIZE = 5;
const REFILL_AT = 2; // clips left in the queue

/** Dispatches "waiting" (detail: { why, as in Outbox.stuck, and sentence }), and "resumed" when loading works again. */
export class LentClips extends EventTarget {
  #queue = [];
  #seen;
  #lend;
  #lending = null;
  #isPrefetching = false;
  #backoff;
  #prepare;
  #kept;
  #skew;
  #wanted;
  #isCutOff = false;

  /**
   * `lent`: the clips on the page when it was loaded, [{ id, audio, expires }]. `answered`: ids that must not be shown
   * again. `now`: the server's time in milliseconds. `prepare` makes a sound from a blob. `kept`: sounds on this device.
   * `wanted` says how many more clips this page shows before it goes on to another campaign.
   */
  constructor(lend, { lent, answered, now, backoff, prepare, kept, wanted = () => Infinity }) {
    super();
    this.#lend = lend;
    this.#backoff = backoff;
    this.#prepare = prepare;
    this.#kept = kept;
    this.#skew = Date.now() - now;
    this.#wanted = wanted;
    this.#seen = new Set(answered.map(String));
    kept.keepOnly(lent.map(({ id }) => id));
    this.#add(lent);
  }

  /** The next clip { id, sound, wasHeard }, or null when none is left for now. The caller revokes the sound's URL. */
  async next() {
    for (;;) {
      const clip = this.#queue[0];
      if (!clip) {
        if (!(await this.#retry(() => this.#more()))) return null;
        continue;
      }
      const sound = await this.#soundOf(clip);
      if (this.#queue[0] !== clip) continue; // it was answered in another tab, or taken, while it loaded
      this.#queue.shift();
      if (!sound) continue;
      this.#refill();
      this.#prefetch();
      return { id: clip.id, sound, wasHeard: clip.wasHeard };
    }
  }

  /** The sound of the next clip, or null if it is not being loaded. */
  async nextSound() {
    try {
      return await (this.#queue[0]?.sound ?? null);
    } catch {
      return null; // `next` handles the error
    }
  }

  /** The sound of a clip that was shown before. May throw Refused. */
  reload(id) {
    return this.#fetch({ audio: `/api/v1/assignments/${id}/audio/` });
  }

  /** Makes this clip the next one, after the person went back to an earlier clip. */
  putBack({ id, sound, wasHeard }) {
    const isOurs = Promise.resolve(true);
    this.#queue.unshift({ id, expires: Infinity, sound: Promise.resolve(sound), isOurs, wasHeard });
  }

  /** It was answered in another tab. */
  drop(id) {
    this.#seen.add(String(id));
    this.#queue = this.#queue.filter((clip) => String(clip.id) !== String(id));
  }

  /** The sound, or null when this clip is not lent to this tab any more. */
  async #soundOf(clip) {
    if (clip.expires <= Date.now() - this.#skew || !(await clip.isOurs)) return null;
    try {
      return await this.#retry(() => {
        clip.sound ??= this.#fetch(clip);
        return clip.sound;
      });
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  }

  /** Loads one clip at a time, in order, so that on a slow connection the next clip gets all of it. */
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
      // `next` fetches it again, and waits for it or skips it.
    }
    this.#isPrefetching = false;
  }

  #fetch(clip) {
    const sound = this.#blobOf(clip).then(this.#prepare);
    sound.catch(() => {
      clip.sound = null;
    });
    return sound;
  }

  /** From the network, which knows whether it may still be heard; without one, from this device. */
  async #blobOf({ id, audio, lent }) {
    try {
      const blob = await (await get(audio)).blob();
      if (lent) this.#kept.keepSound(lent, blob).catch((error) => console.info(error.message)); // no space, for example
      return blob;
    } catch (error) {
      if (error instanceof Refused) this.#kept.forget(id);
      const blob = isUnreached(error) && lent ? await this.#kept.sound(id) : null;
      if (!blob) throw error;
      this.#cutOff();
      return blob;
    }
  }

  /** Says that there is no connection, until there is one. */
  async #cutOff() {
    if (this.#isCutOff) return;
    this.#isCutOff = true;
    this.#dispatch("waiting", { why: "unreachable", sentence: "" });
    for (let failures = 0; this.#isCutOff; failures++) {
      await this.#backoff.wait(failures);
      this.#isCutOff = !(await get("/healthz").catch(() => null));
    }
    this.#dispatch("resumed");
  }

  async #refill() {
    if (this.#queue.length > REFILL_AT || this.#queue.length >= this.#wanted()) return;
    try {
      await this.#more();
    } catch {
      // Some clips are left; `next` borrows again, and waits, once the queue is empty.
    }
  }

  /** Borrows more clips; whether any of them are new here. */
  #more() {
    const count = Math.max(1, Math.min(BATCH_SIZE, this.#wanted() - this.#queue.length));
    this.#lending ??= post(this.#lend, { count })
      .then((response) => response.json())
      .then(({ assignments }) => this.#add(assignments.map((each) => ({ ...each, expires: each.expires_at }))))
      .finally(() => {
        this.#lending = null;
      });
    return this.#lending;
  }

  #add(lent) {
    const fresh = lent.filter(({ id }) => !this.#seen.has(String(id)));
    for (const { id, audio, expires } of fresh) {
      this.#seen.add(String(id));
      const lent = { id, audio, expires };
      this.#queue.push({ id, audio, lent, expires: Date.parse(expires), sound: null, isOurs: claim(id) });
    }
    this.#prefetch();
    return fresh.length > 0;
  }

  async #retry(attempt) {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt();
        if (failures) this.#dispatch("resumed");
        return result;
      } catch (error) {
        if (error instanceof Refused) throw error;
        this.#dispatch("waiting", { why: whyWaiting(error), sentence: error.message });
        await (error instanceof Paused ? this.#backoff.waitUntil(error.until) : this.#backoff.wait(failures));
      }
    }
  }

  #dispatch(event, detail) {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}
