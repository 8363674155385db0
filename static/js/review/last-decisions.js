// The reviewer's last decisions, the newest first: what this page did, then what the server knew before.

import { get } from "../desk/sync/api.js";

export class LastDecisions {
  #done = []; // items that were decided since this page was loaded, the last one at the end
  #undone = new Set(); // items whose decision was undone since the page of the item that is shown was made

  add(item) {
    this.#done = [...this.#done.filter((each) => each !== item), item];
    this.#undone.delete(item);
  }

  remove(item) {
    this.#done = this.#done.filter((each) => each !== item);
    this.#undone.add(item);
  }

  /** The item of the last decision; undefined if there is none. */
  newest(desk) {
    const listed = [...desk.querySelectorAll("[data-undo]")].map(({ dataset }) => dataset.undo);
    const known = listed.filter((item) => !this.#undone.has(item));
    return this.#done[this.#done.length - 1] ?? known[0];
  }

  /** The page of an item may be older than the last decision: its list is loaded when it is opened. */
  show(desk) {
    const details = desk.part("last");
    details.hidden = !this.newest(desk);
    details.addEventListener("toggle", () => details.open && fill(details));
  }
}

async function fill(details) {
  try {
    const page = await (await get(location.href)).text();
    const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("[data-part=last] ol");
    if (fresh) details.querySelector("ol").replaceWith(fresh);
  } catch {
    // No connection: the list stays as it was.
  }
}
