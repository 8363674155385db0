// <voice-recorder>: record, listen, record again or send, then the next recording, without a page load.

import "../player/clip-player.js";
import { LoggedOut, Refused, restrictTo } from "../desk/sync/api.js";
import { pressByKey } from "../keys/keys.js";
import { Take, canRecord, loudest } from "./microphone.js";
import { send } from "./send.js";
import { RATE, resample, wav } from "./wav.js";

// Shares of full scale. Below and above them the page suggests recording again; the speaker decides.
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
      this.setStatus("unable");
      return;
    }
    restrictTo(document.body.dataset.account, "/profile/"); // that page is open to all who are logged in
    this.player = this.querySelector("clip-player");
    this.part("recorder").hidden = false;
    this.part("file").open = Boolean(this.querySelector(".errorlist"));
    this.#listen();
    this.#setState("idle");
  }

  disconnectedCallback() {
    this.stopKeys?.();
    this.#release();
  }

  #listen() {
    this.stopKeys = pressByKey(this, () => false);
    this.part("record").addEventListener("click", () => this.#press());
    this.part("send").addEventListener("click", () => this.#send());
    this.part("again").addEventListener("click", () => this.#record());
    window.addEventListener("pagehide", () => this.#release());
    window.addEventListener("beforeunload", (event) => this.#sound && event.preventDefault());
    this.form.addEventListener("submit", () => this.#discard()); // a file is sent instead, so the recording is discarded
  }

  #press() {
    if (this.#state === "idle") this.#record();
    else if (this.#state === "recording") this.#stop("recorded");
  }

  async #record() {
    if (this.#state !== "idle" && this.#state !== "review") return;
    this.#discard();
    this.#setState("asking");
    this.part("record").focus();
    this.setStatus("asking");
    const take = new Take(Number(this.dataset.longest));
    this.#take = take;
    take.addEventListener("block", ({ detail }) => this.#showLevel(detail));
    take.addEventListener("full", () => this.#stop("full"));
    take.addEventListener("cut", () => this.#stop("cut"));
    try {
      await take.start(this.dataset.worklet);
    } catch (error) {
      if (this.#take === take) this.#fail(error);
    }
  }

  #fail(error) {
    this.#take = null;
    this.#setState("idle");
    this.setStatus(PROBLEMS[error.name] ?? "busy");
    this.part("file").open = true;
  }

  #showLevel({ loudest: level, seconds }) {
    if (this.#state === "asking") {
      this.#setState("recording");
      this.setStatus("recording");
    }
    // Logarithmic, as loudness is heard: the gauge spans 60 decibels.
    const share = Math.max(0, 1 + Math.log10(Math.max(level, 1e-6)) / 3);
    this.part("level").style.transform = `scaleX(${Math.min(1, share)})`;
    this.#drawSeconds(seconds);
  }

  async #stop(why) {
    if (this.#state !== "recording") return;
    this.#setState("stopping");
    const { samples, rate } = await this.#take.stop();
    this.#take = null;
    const sound = resample(samples, rate);
    const seconds = sound.length / RATE;
    this.#drawSeconds(seconds);
    if (seconds < Number(this.dataset.shortest)) {
      this.#setState("idle");
      this.setStatus("short");
      return;
    }
    this.#sound = new Blob([wav(sound)], { type: "audio/wav" });
    this.#url = URL.createObjectURL(this.#sound);
    this.player.dataset.seconds = seconds;
    this.player.audio.src = this.#url;
    this.#setState("review");
    this.player.button.focus();
    const level = loudest(sound);
    this.setStatus(why, level < QUIET ? "quiet" : level > LOUD ? "loud" : "");
  }

  async #send() {
    if (this.#state !== "review") return;
    this.#setState("sending");
    this.setStatus("sending");
    this.player.audio.pause();
    try {
      this.#sent(await send(this.form, this.#sound));
    } catch (error) {
      this.#setState("review");
      if (error instanceof Refused) this.part("status").textContent = error.message;
      else this.setStatus(error instanceof LoggedOut ? "logged-out" : "not-sent");
      this.part("log-in").hidden = !(error instanceof LoggedOut);
    }
  }

  #sent({ isNew, shared, prompt }) {
    this.#discard();
    document.getElementById("shared").textContent = shared;
    this.#setState("idle");
    this.setStatus(isNew ? "thanks" : "already-shared");
    if (!this.part("prompt")) this.part("record").focus();
    else if (prompt) this.#showPrompt(prompt);
    else this.#showAllRead();
  }

  #showPrompt({ id, text }) {
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

  /** Removes the recording, whether it was sent or not. */
  #discard() {
    if (!this.#sound) return;
    this.player.clear();
    URL.revokeObjectURL(this.#url);
    this.#sound = this.#url = null;
  }

  #release() {
    this.#take?.release();
    this.#take = null;
    if (this.#state === "asking" || this.#state === "recording") this.#setState("idle");
  }

  #setState(state) {
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

  // Not `disabled`, which would take the focus away from people who use a keyboard.
  #lock(button, isLocked) {
    if (isLocked) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }

  #drawSeconds(seconds) {
    this.part("seconds").textContent = seconds.toFixed(1);
  }

  setStatus(...names) {
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
