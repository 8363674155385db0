// The items that come after the one that is shown: the next one is loaded in advance, with its sound.

import { Refused, get } from "../desk/sync/api.js";
import { load } from "./page-swap.js";

// An item is lent for a quarter of an hour. One that was loaded longer ago than this is loaded, and lent, again.
const FRESH_MS = 5 * 60 * 1000;

export class Upcoming {
  #prepare;
  #queue = []; // { loading, at }

  /** `prepare(blob, kind)` makes a sound of the clip of an item of this kind. */
  constructor(prepare) {
    this.#prepare = prepare;
  }

  /** Loads what comes at this address, if nothing is loaded yet. */
  preload(address) {
    if (this.#queue.length) return;
    const loading = this.read(address);
    loading.catch(() => {}); // `next` tries it again
    this.#queue.push({ loading, at: Date.now() });
  }

  /** The item at this address comes next: the reviewer went back from it to an earlier one. */
  putFirst(address) {
    this.#queue.unshift({ loading: Promise.resolve({ address }), at: -Infinity });
  }

  /** What `read` gives of the next item, or of the page at this address, which may say that none is left. */
  async next(address) {
    for (; this.#queue.length; this.#queue.shift()) {
      const { loading, at } = this.#queue[0];
      let found = await loading.catch(() => null);
      if (found && Date.now() - at > FRESH_MS) found = await this.read(found.address);
      if (!found?.page.querySelector("review-desk[data-open]")) continue;
      this.#queue.shift();
      return found;
    }
    return this.read(address);
  }

  /** { page, address, sound } of the item at this address. The sound is null where there is none. */
  async read(address) {
    const found = await load(address);
    const desk = found.page.querySelector("review-desk");
    return { ...found, sound: desk ? await this.soundOf(desk) : null };
  }

  /** The sound of this desk's item. */
  async soundOf(desk) {
    try {
      const source = desk.querySelector("clip-player audio").getAttribute("src");
      return await this.#prepare(await (await get(source)).blob(), desk.dataset.kind);
    } catch (error) {
      if (error instanceof Refused) return null; // the clip is gone
      throw error;
    }
  }
}
