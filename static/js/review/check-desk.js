// <check-desk>: one clip to check before it is published. The next one comes without a page load; without this script
// the page is a form.

import "../player/clip-player.js";
import { AnswerGate } from "../desk/answer-gate.js";
import { pressByKey } from "../keys/keys.js";
import { prepare } from "../player/sound.js";

// Every second is to be heard, so nothing is cut off at the ends.
const AS_IT_IS = { trims: false, levels: true };

class CheckDesk extends HTMLElement {
  connectedCallback() {
    this.stopKeys = pressByKey(this, () => this.isBusy);
    this.addEventListener("submit", (event) => this.#submit(event));
    this.addEventListener("click", ({ target }) => {
      if (target.closest("[data-act=add-part]")) this.#addPart();
    });
    this.#begin();
  }

  disconnectedCallback() {
    this.stopKeys?.();
  }

  async #begin() {
    this.isBusy = false;
    this.player = this.querySelector("clip-player");
    if (!this.player) return;
    await customElements.whenDefined("clip-player");
    this.gate = new AnswerGate(this, this.player, 1);
    this.gate.isBusy = false;
    this.player.querySelector("[name=speed]")?.addEventListener("change", ({ target }) => (this.player.speed = Number(target.value)));
    this.player.on("play", () => this.#say(""));
    this.gate.update();
    const sound = await this.#sound();
    if (!sound || !(await this.player.show(sound))) this.#say("press-play");
  }

  async #sound() {
    try {
      const response = await fetch(this.player.audio.src);
      return response.ok ? await prepare(await response.blob(), AS_IT_IS) : null;
    } catch {
      return null;
    }
  }

  #say(word) {
    const said = word && this.querySelector("[data-part=words]").content.querySelector(`[data-word=${word}]`);
    this.querySelector("[data-part=status]").textContent = said ? said.textContent : "";
  }

  /** The part that is marked in the player goes into the first free pair of fields. */
  #addPart() {
    const { marked } = this.player;
    if (!marked.isMarked) return this.#say("mark-first");
    const free = [...this.querySelectorAll(".part")].find((part) => ![...part.querySelectorAll("input")].some((each) => each.value));
    if (!free) return this.#say("no-room");
    const [from, to] = free.querySelectorAll("input");
    from.value = marked.start.toFixed(2);
    to.value = marked.end.toFixed(2);
    marked.clear();
    this.#say("");
  }

  async #submit(event) {
    const { submitter, target } = event;
    event.preventDefault();
    if (this.isBusy) return;
    if (this.gate.isLocked(submitter)) return this.#say("hear-first");
    const body = new FormData(target);
    if (submitter?.name) body.append(submitter.name, submitter.value);
    body.set("heard", this.player.duration.toFixed(2)); // the gate is open: all of it sounded
    this.isBusy = true;
    try {
      const address = submitter?.getAttribute("formaction") ?? target.getAttribute("action");
      this.#draw(await fetch(address, { method: "POST", body }));
    } catch {
      this.isBusy = false;
      this.#say("unreachable");
    }
  }

  async #draw(response) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.querySelector("check-desk");
    const error = next?.querySelector("[data-part=error]");
    if (error) {
      this.isBusy = false;
      this.querySelector("[data-part=status]").textContent = error.textContent.trim();
    } else if (next) {
      this.player.clear();
      // The style of the wave is let in by the nonce of the page that was loaded.
      next.querySelector(".wave").dataset.nonce = this.querySelector(".wave").dataset.nonce;
      this.replaceChildren(...next.childNodes);
      await this.#begin();
    } else location.reload(); // nothing is left, or the session is over
  }
}

customElements.define("check-desk", CheckDesk);
