// <clip-desk>: the form that the server drew, without page loads. The next clip plays while the answer is sent.

import "./clip-player.js";
import { pressByKey } from "./keys.js";
import { LentClips } from "./lent-clips.js";
import { Outbox } from "./outbox.js";
import { Patience } from "./patience.js";

// The second click of a double click would be an answer to a clip that nobody has heard.
const SETTLE_MS = 350;

class ClipDesk extends HTMLElement {
  #clip = null;
  #waiting = null;

  connectedCallback() {
    this.patience = new Patience();
    this.outbox = new Outbox(this.patience);
    this.clips = new LentClips(this.dataset.lend, this.#held(), this.patience);
    this.player = this.querySelector("clip-player");
    this.box = this.querySelector("textarea");
    this.#listen();
    this.#next();
  }

  disconnectedCallback() {
    this.stopKeys();
  }

  #listen() {
    this.stopKeys = pressByKey(this, () => this.part("report").open);
    this.addEventListener("submit", (event) => this.#submit(event));
    this.addEventListener("click", (event) => this.#click(event));
    this.part("report").addEventListener("toggle", () => this.#reportToggled());
    this.part("report").addEventListener("keydown", (event) => event.key === "Escape" && this.#closeReport());
    this.part("try-now").addEventListener("click", () => this.patience.hurry());
    this.player.audio.addEventListener("error", () => this.#unplayable());
    this.player.audio.addEventListener("play", () => this.#unsay("press-play"));
    this.outbox.addEventListener("sent", ({ detail }) => this.#sent(detail.letter));
    this.outbox.addEventListener("refused", ({ detail }) => this.say(`${this.word("not-taken")} ${detail.reason}`));
    this.outbox.addEventListener("change", () => this.#drawUnsent());
    this.clips.addEventListener("waiting", ({ detail }) => this.#drawUnsent(detail));
    this.clips.addEventListener("going", () => this.#drawUnsent(null));
    window.addEventListener("beforeunload", (event) => this.outbox.size && event.preventDefault());
  }

  #submit(event) {
    event.preventDefault();
    if (isLocked(event.submitter)) return;
    if (event.target.dataset.act === "skip") this.#act("skip", {});
    else if (this.dataset.kind === "wake-word") this.#act("annotation", { answer: event.submitter.value });
    else this.#transcribe(event.submitter?.name === "no_speech");
  }

  #click(event) {
    const button = event.target.closest("button");
    if (button?.dataset.reason && !isLocked(button)) {
      this.#act("report", { reason: button.dataset.reason });
      this.say(this.word("reported"));
    }
    // The space bar is for playing: it must not press again what the mouse has pressed.
    if (event.detail && button && this.dataset.kind === "wake-word") this.player.button.focus();
  }

  #transcribe(isSilent) {
    const transcript = isSilent ? "" : this.box.value.trim();
    if (isSilent || transcript) this.#act("annotation", { transcript });
    else this.say(this.word("write-first"));
    this.box.focus();
  }

  /** Put it in the outbox and go on to the next clip. */
  #act(kind, body) {
    this.outbox.put({ kind, path: `/api/v1/assignments/${this.#clip.id}/${kind}/`, body });
    this.say("");
    this.#closeReport();
    this.querySelector(".errorlist")?.remove();
    if (this.box) this.box.value = "";
    this.#next();
  }

  async #next() {
    this.#lock();
    this.player.clear();
    if (this.#clip) URL.revokeObjectURL(this.#clip.url);
    this.#clip = null;
    const settled = new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const loading = setTimeout(() => this.say(this.word("loading")), SETTLE_MS);
    try {
      this.#clip = await this.clips.next();
    } catch (error) {
      this.say(error.message); // the campaign was closed, or this is not for volunteers any more
      return;
    } finally {
      clearTimeout(loading);
    }
    if (!this.#clip) {
      this.#showEmpty();
      return;
    }
    this.#unsay("loading");
    const playing = this.player.play(this.#clip.url);
    await settled;
    this.#unlock();
    if (!(await playing)) this.say(this.word("press-play"));
  }

  // Not `disabled`: that would take the focus away from who answers by keyboard.
  #lock(buttons = "form button, [data-reason]") {
    for (const button of this.querySelectorAll(buttons)) button.setAttribute("aria-disabled", "true");
  }

  #unlock() {
    for (const button of this.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    if (this.player.audio.error) this.#unplayable();
  }

  #unplayable() {
    if (!this.#clip) return; // emptied between two clips
    this.#lock(".answers button");
    this.say(this.word("unplayable"));
  }

  #showEmpty() {
    this.part("clip").hidden = true;
    this.part("empty").hidden = false;
    this.part("empty").focus();
    this.say("");
  }

  #sent(letter) {
    const answered = document.getElementById("answered");
    if (letter.kind === "annotation") answered.textContent = Number(answered.textContent) + 1;
  }

  #drawUnsent(waiting = this.#waiting) {
    this.#waiting = waiting;
    const why = this.outbox.stuck ?? waiting;
    this.part("unsent").hidden = !why;
    this.part("log-in").hidden = why !== "logged-out";
    if (!why) return;
    const words = { "logged-out": "logged-out", unreachable: this.outbox.size ? "not-sent" : "no-clips" };
    this.part("unsent-text").textContent = `${this.word(words[why])} ${this.outbox.size || ""}`;
  }

  #reportToggled() {
    if (this.part("report").open) this.part("report").querySelector("[data-reason]").focus();
  }

  #closeReport() {
    const report = this.part("report");
    if (report.contains(document.activeElement)) report.querySelector("summary").focus();
    report.open = false;
  }

  #held() {
    return [...this.part("held").children].map(({ dataset: { id, audio, expires } }) => ({ id, audio, expires }));
  }

  say(text) {
    this.part("status").textContent = text;
  }

  #unsay(name) {
    if (this.part("status").textContent === this.word(name)) this.say("");
  }

  word(name) {
    return this.part("words").content.querySelector(`[data-word="${name}"]`).textContent;
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }
}

function isLocked(button) {
  return button?.getAttribute("aria-disabled") === "true";
}

customElements.define("clip-desk", ClipDesk);
