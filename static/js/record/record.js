// <voice-recorder>: record, hear it, take it again, send it; then the next one, without a page load.

import "../player/clip-player.js";
import { LoggedOut, Refused } from "../desk/sync/api.js";
import { pressByKey } from "../keys/keys.js";
import { Take, canRecord, loudest } from "./microphone.js";
import { send } from "./send.js";
import { RATE, resample, wav } from "./wav.js";

// Below and above these shares of full scale it is worth another try; what is heard is still the speaker's to judge.
const QUIET = 0.02;
const LOUD = 0.99;
const PROBLEMS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing" };

class VoiceRecorder extends HTMLElement {
  #take = null;
  #sound = null;
  #url = null;
  #state = "";

  connectedCallback() {
    this.form = this.part("form");
    if (!this.form) return;
    if (!canRecord()) {
      this.say("unable");
      return;
    }
    this.player = this.querySelector("clip-player");
    this.part("recorder").hidden = false;
    this.part("file").open = Boolean(this.querySelector(".errorlist"));
    this.#listen();
    this.#go("idle");
  }

  disconnectedCallback() {
    this.stopKeys?.();
    this.#letGo();
  }

  #listen() {
    this.stopKeys = pressByKey(this, () => false);
    this.part("record").addEventListener("click", () => this.#press());
    this.part("send").addEventListener("click", () => this.#send());
    this.part("again").addEventListener("click", () => this.#record());
    window.addEventListener("pagehide", () => this.#letGo());
    window.addEventListener("beforeunload", (event) => this.#sound && event.preventDefault());
    this.form.addEventListener("submit", () => this.#forget()); // a file goes in its place, and is meant to
  }

  #press() {
    if (this.#state === "idle") this.#record();
    else if (this.#state === "recording") this.#stop("recorded");
  }

  async #record() {
    if (this.#state !== "idle" && this.#state !== "review") return;
    this.#forget();
    this.#go("asking");
    this.part("record").focus();
    this.say("asking");
    const take = new Take(Number(this.dataset.longest));
    this.#take = take;
    take.addEventListener("block", ({ detail }) => this.#hear(detail));
    take.addEventListener("full", () => this.#stop("full"));
    take.addEventListener("cut", () => this.#stop("cut"));
    try {
      await take.start(this.dataset.worklet);
    } catch (error) {
      if (this.#take === take) this.#cannot(error);
    }
  }

  #cannot(error) {
    this.#take = null;
    this.#go("idle");
    this.say(PROBLEMS[error.name] ?? "busy");
    this.part("file").open = true;
  }

  #hear({ loudest: level, seconds }) {
    if (this.#state === "asking") {
      this.#go("recording");
      this.say("recording");
    }
    // As ears have it: 60 decibels from end to end.
    const share = Math.max(0, 1 + Math.log10(Math.max(level, 1e-6)) / 3);
    this.part("level").style.transform = `scaleX(${Math.min(1, share)})`;
    this.#drawSeconds(seconds);
  }

  async #stop(why) {
    if (this.#state !== "recording") return;
    this.#go("stopping");
    const { samples, rate } = await this.#take.stop();
    this.#take = null;
    const sound = resample(samples, rate);
    const seconds = sound.length / RATE;
    this.#drawSeconds(seconds);
    if (seconds < Number(this.dataset.shortest)) {
      this.#go("idle");
      this.say("short");
      return;
    }
    this.#sound = new Blob([wav(sound)], { type: "audio/wav" });
    this.#url = URL.createObjectURL(this.#sound);
    this.player.dataset.seconds = seconds;
    this.player.audio.src = this.#url;
    this.#go("review");
    this.player.button.focus();
    const level = loudest(sound);
    this.say(why, level < QUIET ? "quiet" : level > LOUD ? "loud" : "");
  }

  async #send() {
    if (this.#state !== "review") return;
    this.#go("sending");
    this.say("sending");
    this.player.audio.pause();
    try {
      this.#sent(await send(this.form, this.#sound));
    } catch (error) {
      this.#go("review");
      if (error instanceof Refused) this.part("status").textContent = error.message;
      else this.say(error instanceof LoggedOut ? "logged-out" : "not-sent");
      this.part("log-in").hidden = !(error instanceof LoggedOut);
    }
  }

  #sent({ isNew, shared, prompt }) {
    this.#forget();
    document.getElementById("shared").textContent = shared;
    this.#go("idle");
    this.say(isNew ? "thanks" : "already-shared");
    if (!this.part("prompt")) this.part("record").focus();
    else if (prompt) this.#ask(prompt);
    else this.#showAllRead();
  }

  #ask({ id, text }) {
    this.form.elements.prompt.value = id;
    this.part("prompt").textContent = text;
    this.part("another").querySelector("a").search = `?other=${id}`;
    this.part("record").focus();
  }

  #showAllRead() {
    this.form.hidden = true;
    this.part("all-read").hidden = false;
    this.part("all-read").focus();
  }

  /** The take that is here, sent or not, is not kept any longer. */
  #forget() {
    if (!this.#sound) return;
    this.player.clear();
    URL.revokeObjectURL(this.#url);
    this.#sound = this.#url = null;
  }

  #letGo() {
    this.#take?.release();
    this.#take = null;
    if (this.#state === "asking" || this.#state === "recording") this.#go("idle");
  }

  #go(state) {
    this.#state = state;
    const is = (...states) => states.includes(state);
    this.part("recorder").dataset.state = state;
    this.part("recorder").hidden = is("review", "sending");
    this.part("record-text").textContent = this.word(is("recording", "stopping") ? "stop" : "record");
    this.part("review").hidden = !is("review", "sending");
    this.part("log-in").hidden = true;
    this.part("file").hidden = !is("idle");
    this.part("another")?.classList.toggle("away", !is("idle"));
    this.querySelector(".errorlist")?.toggleAttribute("hidden", !is("idle"));
    for (const name of ["send", "again"]) this.#lock(this.part(name), is("sending"));
    this.#lock(this.part("record"), is("asking", "stopping"));
    if (is("idle", "asking")) this.#drawSeconds(0);
    this.part("level").style.transform = "scaleX(0)";
  }

  // Not `disabled`: that would take the focus away from who uses a keyboard.
  #lock(button, isLocked) {
    if (isLocked) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }

  #drawSeconds(seconds) {
    this.part("seconds").textContent = seconds.toFixed(1);
  }

  say(...names) {
    this.part("status").textContent = names.filter(Boolean).map((name) => this.word(name)).join(" ");
  }

  word(name) {
    return this.part("words").content.querySelector(`[data-word="${name}"]`).textContent;
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }
}

customElements.define("voice-recorder", VoiceRecorder);
