// <practice-desk>: one clip to practise on, with the desk's own parts. The server compares the answer and does not
// store it; its feedback is shown without a page load.

import "../player/clip-player.js";
import { AnswerGate } from "./answer-gate.js";
import { csrfToken } from "./sync/api.js";
import { DeskView } from "./desk-view.js";
import { Keymap } from "../keys/keymap.js";
import { pressByKey } from "../keys/keys.js";
import { soundChoices } from "../player/sound-choices.js";
import { prepare } from "../player/sound.js";
import { TranscriptBox } from "./transcript-box.js";

const NO_STORE = { keys: () => [] }; // a draft of a practice answer is not stored either

class PracticeDesk extends DeskView {
  connectedCallback() {
    this.start(() => this.#start());
  }

  #start() {
    this.player = this.querySelector("clip-player");
    this.gate = new AnswerGate(this, this.player, Number(this.dataset.mustHear));
    this.choices = soundChoices(this, ({ speed }) => (this.player.speed = speed));
    const box = this.querySelector("textarea");
    this.box = box && new TranscriptBox(box, NO_STORE);
    new Keymap(this, this.dataset.kind, this.keyWords);
    this.stopKeys = pressByKey(this, () => false);
    this.#listen();
    this.#play();
  }

  disconnectedCallback() {
    this.stopKeys?.();
  }

  #listen() {
    this.addEventListener("submit", (event) => this.#submit(event));
    this.addEventListener("click", ({ target }) => {
      const insert = target.closest("button")?.dataset.insert;
      if (insert) this.box.insert(insert);
    });
    this.gate.addEventListener("change", () => this.drawHint(this.gate.isOpen));
    this.player.on("play", () => {
      this.removeAttribute("data-quiet");
      this.clearStatus("press-play");
    });
    this.player.on("error", () => this.#skipHearing());
  }

  /** On the front page, until the first press of play: nobody asked for a sound yet. */
  get isQuiet() {
    return this.hasAttribute("data-quiet");
  }

  async #play() {
    this.gate.update();
    const sound = await this.#sound();
    const playing = sound
      ? this.player.show(sound, { isPlayed: this.choices.autoplays && !this.isQuiet })
      : Promise.resolve(false); // it could not be loaded: the play button requests it again
    this.#open();
    if (!(await playing) && !this.isQuiet) this.setStatus(this.word("press-play"));
  }

  async #sound() {
    try {
      const response = await fetch(this.player.audio.src);
      return response.ok ? await prepare(await response.blob(), this.choices) : null;
    } catch {
      return null;
    }
  }

  #open() {
    this.gate.isBusy = false;
    this.gate.update();
    this.drawHint(this.gate.isOpen);
  }

  #skipHearing() {
    this.gate.isWaived = true; // the clip cannot be heard, and no stored answer depends on it
    this.gate.update();
    this.setStatus(this.word("unplayable"));
  }

  async #submit(event) {
    if (this.isWithoutScript) return;
    event.preventDefault();
    const { submitter, target } = event;
    if (this.gate.isLocked(submitter)) return void (this.gate.needsMoreHearing(submitter) && this.setStatus(this.word("hear-first")));
    if (this.box && !this.box.text && submitter?.name !== "no_speech") return void this.setStatus(this.word("write-first"));
    this.setStatus("");
    this.gate.isBusy = true;
    this.gate.update();
    await this.#compare(target, submitter);
    this.#open();
  }

  async #compare(form, submitter) {
    const body = new FormData(form);
    if (submitter?.name) body.append(submitter.name, submitter.value);
    if (body.has("csrfmiddlewaretoken")) body.set("csrfmiddlewaretoken", csrfToken()); // not before an account
    try {
      const response = await fetch(form.getAttribute("action") ?? location.href, { method: "POST", body });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!page.querySelector("practice-desk")) return void location.reload(); // probably logged out
      this.#draw(page);
    } catch {
      this.setStatus(this.word("unreachable"));
    }
  }

  #draw(page) {
    for (const name of ["feedback", "onward"]) {
      this.part(name).replaceChildren(...page.querySelector(`[data-part=${name}]`).childNodes);
    }
    this.part("onward").querySelector("a")?.focus();
  }
}

customElements.define("practice-desk", PracticeDesk);
