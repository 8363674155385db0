// <practice-desk>: one clip to practise on, with the desk's own parts. The answer is compared by the server and
// kept nowhere; what is said to it comes in without a page load.

import "../player/clip-player.js";
import { AnswerGate } from "./answer-gate.js";
import { csrfToken } from "./sync/api.js";
import { DeskView } from "./desk-view.js";
import { Keymap } from "../keys/keymap.js";
import { pressByKey } from "../keys/keys.js";
import { soundChoices } from "../player/sound-choices.js";
import { prepare } from "../player/sound.js";
import { TranscriptBox } from "./transcript-box.js";

const NOTHING_KEPT = { keys: () => [] }; // no draft of a practice either

class PracticeDesk extends DeskView {
  connectedCallback() {
    this.player = this.querySelector("clip-player");
    this.gate = new AnswerGate(this, this.player, Number(this.dataset.mustHear));
    this.choices = soundChoices(this, ({ speed }) => (this.player.speed = speed));
    const box = this.querySelector("textarea");
    this.box = box && new TranscriptBox(box, NOTHING_KEPT);
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
    this.player.hear("play", () => this.unsay("press-play"));
    this.player.hear("error", () => this.#isUnplayable());
  }

  async #play() {
    this.gate.update();
    const sound = await this.#sound();
    const playing = sound
      ? this.player.show(sound, { isPlayed: this.choices.autoplays })
      : Promise.resolve(false); // it did not come, or not yet: the button asks for it once more
    this.#open();
    if (!(await playing)) this.say(this.word("press-play"));
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

  #isUnplayable() {
    this.gate.isWaived = true; // there is nothing to wait for, and nothing to be spoilt
    this.gate.update();
    this.say(this.word("unplayable"));
  }

  async #submit(event) {
    event.preventDefault();
    const { submitter, target } = event;
    if (this.gate.isLocked(submitter)) return void (this.gate.isToBeHeard(submitter) && this.say(this.word("hear-first")));
    if (this.box && !this.box.text && submitter?.name !== "no_speech") return void this.say(this.word("write-first"));
    this.say("");
    this.gate.isBusy = true;
    this.gate.update();
    await this.#compare(target, submitter);
    this.#open();
  }

  async #compare(form, submitter) {
    const body = new FormData(form);
    if (submitter?.name) body.append(submitter.name, submitter.value);
    body.set("csrfmiddlewaretoken", csrfToken());
    try {
      const response = await fetch(location.href, { method: "POST", body });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!page.querySelector("practice-desk")) return void location.reload(); // logged out, most likely
      this.#draw(page);
    } catch {
      this.say(this.word("unreachable"));
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
