// A machine's draft: shown below the box to people who want it, and never inserted automatically.

import { get } from "./sync/api.js";
import { choice, choose } from "./sync/device-store.js";

const CHOICE = "drafts";

/** Uses the desk's part "machine", which is there if the campaign has drafts. `insert` is called with the draft. */
export class MachineDraft {
  #root;
  #field;
  #assignment = null;

  constructor(desk, insert) {
    this.#root = desk.part("machine");
    this.#field = desk.querySelector("[name=drafts]");
    this.#field.checked = choice(CHOICE) ?? false;
    this.#field.addEventListener("change", () => {
      choose(CHOICE, this.#field.checked);
      this.show(this.#assignment);
    });
    this.#root.querySelector("button").addEventListener("click", () => insert(this.#words.textContent));
  }

  get #words() {
    return this.#root.querySelector("q");
  }

  /** The draft of this clip, or with null none. Nothing waits for it, and without a draft the page does not change. */
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
    console.info(`No draft for clip ${assignment}: ${error.message}`);
    return null;
  }
}
