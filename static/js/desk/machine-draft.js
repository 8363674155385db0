// What a machine wrote down: shown below the box to whoever wants that, and never put into it by itself.

import { get } from "./sync/api.js";
import { choice, choose } from "./sync/device-store.js";

const KEPT = "drafts";

/** Over the desk's part "machine", where the campaign has drafts; `putIn` takes the words. */
export class MachineDraft {
  #root;
  #field;
  #assignment = null;

  constructor(desk, putIn) {
    this.#root = desk.part("machine");
    this.#field = desk.querySelector("[name=drafts]");
    this.#field.checked = choice(KEPT) ?? false;
    this.#field.addEventListener("change", () => {
      choose(KEPT, this.#field.checked);
      this.show(this.#assignment);
    });
    this.#root.querySelector("button").addEventListener("click", () => putIn(this.#words.textContent));
  }

  get #words() {
    return this.#root.querySelector("q");
  }

  /** To this clip, or none. It is a help, and nothing waits for it: without one the page stays as it is. */
  async show(assignment) {
    this.#assignment = assignment;
    this.#root.hidden = true;
    if (!assignment || !this.#field.checked) return;
    const draft = await draftOf(assignment);
    if (!draft || this.#assignment !== assignment || !this.#field.checked) return;
    this.#words.textContent = draft;
    this.#root.hidden = false;
  }
}

async function draftOf(assignment) {
  try {
    return (await (await get(`/api/v1/assignments/${assignment}/draft/`)).json()).draft;
  } catch (error) {
    console.info(`No draft to clip ${assignment}: ${error.message}`);
    return null;
  }
}
