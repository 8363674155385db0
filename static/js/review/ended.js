// The session has ended, or someone else has logged in: nothing of the clip is shown until its reviewer is back.

import { endSession, forgetWork, resumeSession } from "../desk/sync/device-store.js";

/** Uses the desk's parts ended, ended-text, try-now and forget. */
export class Ended {
  #desk;
  #late = null; // the timer that deletes the drafts of someone who does not come back

  constructor(desk) {
    this.#desk = desk;
    const look = () => desk.isConnected && desk.hasAttribute("data-ended") && this.#look();
    desk.part("try-now").addEventListener("click", look);
    window.addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    desk.part("forget").addEventListener("click", () => this.#forget());
  }

  /** `why`: "logged-out" or "other-account". */
  hide(why) {
    this.#desk.player.audio.pause();
    this.#desk.part("ended-text").textContent = this.#desk.word(why);
    this.#desk.setAttribute("data-ended", "");
    clearTimeout(this.#late);
    this.#late = setTimeout(() => this.#forget(), endSession());
  }

  /** Whether the reviewer has logged in again. A redirect is not followed: it would spoil a log-in form elsewhere. */
  async #look() {
    const response = await fetch(location.href, { redirect: "manual" }).catch(() => null);
    const account = response?.ok && /data-account="([^"]*)"/.exec(await response.text())?.[1];
    if (account !== this.#desk.dataset.account) return;
    clearTimeout(this.#late);
    resumeSession();
    this.#desk.removeAttribute("data-ended");
  }

  #forget() {
    forgetWork();
    location.reload();
  }
}
