// Moves from one clip to the next, and back to an earlier one.

import { Paused, Refused, whyWaiting } from "./sync/api.js";
import { DeskView } from "./desk-view.js";
import { load, offerAnother, takeOver } from "./next-desk.js";
import { showThanks } from "./thanks.js";

// For this long a new clip takes no answer, so that a double click does not answer it unheard.
const SETTLE_MS = 350;

/** Uses `clips`, `player`, `gate`, `box`, `last`, `set`, `several` and `choices`, which the desk sets. */
export class DeskNavigation extends DeskView {
  done = ""; // what was done with the previous clip, until it is announced
  // From the desk that was here before: what was confirmed while this one's page was on its way, which may have been
  // made before, and the notice about refused answers, if nobody has put it away.
  inherited = { confirmed: [], refusal: "" };
  isPaused = false; // a quota is used up, and the notice says so
  clip = null; // { id, sound, earlier }; earlier is the entry of an answer that is being changed
  #hasShown = false; // a clip, since the desk is on the page
  #leavingAt = null; // the turn at which the next campaign was asked for
  #turn = 0; // increased with every change of clip: a result that belongs to an earlier turn is ignored

  /** The assignment whose clip is shown, or null. */
  get showing() {
    return this.clip && String(this.clip.id);
  }

  /** Whether another campaign comes after a set of ten. */
  get isMixed() {
    return Boolean(this.dataset.next);
  }

  /** Shows the next clip, or after a set of ten answers the pause; the next clip is then loaded already. */
  async next() {
    const turn = this.#leave();
    if (this.set.isFull) return this.#pause();
    if (this.isMixed && this.set.isOver) return this.#showNextDesk();
    const loading = setTimeout(() => this.#showLoading(), SETTLE_MS);
    try {
      const clip = await this.clips.next();
      if (turn !== this.#turn) return void (clip && this.clips.putBack(clip));
      if (clip) await this.#show(clip);
      else if (this.isMixed && this.#hasShown) await this.#showNextDesk();
      else this.#showNothingLeft();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === "pledge-missing") return void location.reload(); // it leads to the page that asks for it
      this.setStatus(error.message); // the campaign was closed, or the person may not answer any more
    } finally {
      clearTimeout(loading);
    }
  }

  /** From the pause to the next clip. */
  endPause() {
    if (this.isMixed) return void this.#showNextDesk();
    this.set.restart();
    this.showCard(); // a hidden element cannot take the focus
    (this.box ?? this.player.button).focus();
    this.next();
  }

  undo() {
    const entry = this.last.before(this.clip?.earlier);
    if (entry) this.revise(entry);
    else this.setStatus(this.word("nothing-to-undo"));
  }

  /** Shows an earlier clip again, to change its answer; the current clip comes after it. */
  async revise(entry) {
    if (this.clip && !this.clip.earlier) this.clips.putBack({ ...this.clip, wasHeard: this.gate.isOpen });
    this.box?.close();
    const turn = this.#leave();
    try {
      entry.sound ??= await this.clips.reload(entry.assignment);
    } catch (error) {
      if (turn !== this.#turn) return;
      const isGone = error instanceof Refused;
      if (isGone) this.last.drop(entry.assignment);
      await this.next();
      this.setStatus(isGone ? this.word("gone") : this.word("not-to-hear"));
      return;
    }
    if (turn === this.#turn) await this.#show({ id: entry.assignment, sound: entry.sound, earlier: entry });
  }

  /** Leaves the current clip; the number of the new turn. */
  #leave() {
    this.gate.isBusy = true;
    this.gate.update();
    this.player.audio.pause();
    this.draft?.show(null);
    this.clip = null;
    this.setStatus("");
    this.closeReport();
    this.querySelector(".answers .errorlist")?.remove();
    return ++this.#turn;
  }

  async #show(clip) {
    const turn = this.#turn;
    this.clip = clip;
    this.#hasShown = true;
    this.showCard();
    this.gate.isUnplayable = false;
    this.gate.isWaived = Boolean(clip.earlier || clip.wasHeard);
    const playing = this.player.show(clip.sound, { isPlayed: this.choices.autoplays || Boolean(clip.earlier) });
    this.box?.show(clip.id, clip.earlier?.answer);
    this.several.checked = Boolean(clip.earlier?.several);
    this.draft?.show(clip.earlier ? null : clip.id);
    this.drawRevising(clip.earlier && this.last.labelOf(clip.earlier.answer), clip.earlier?.answer);
    this.drawHint(this.gate.isOpen);
    if (this.done) this.#announceDone(this.word("next-clip"));
    setTimeout(() => turn === this.#turn && this.#openAnswers(), SETTLE_MS);
    const isAllowed = await playing;
    if (turn !== this.#turn) return;
    if (this.player.audio.error) this.unplayable(); // its error event came before the clip was shown
    else if (!isAllowed) this.setStatus(this.word("press-play"));
  }

  async #openAnswers() {
    const turn = this.#turn;
    this.gate.isBusy = false;
    this.gate.update();
    this.drawHint(this.gate.isOpen);
    const sound = await this.clips.nextSound();
    if (sound && turn === this.#turn) this.player.preload(sound);
  }

  /** Announces once what was done, together with what comes next, as a screen reader speaks over the sound. */
  #announceDone(next = "") {
    this.announce(`${this.done} ${next}`.trim());
    this.done = "";
  }

  #pause() {
    this.player.clear();
    this.#announceDone();
    this.showPause();
    showThanks(this);
  }

  #showNothingLeft() {
    this.player.clear();
    this.#announceDone();
    this.showEmpty();
    if (!this.isMixed) offerAnother(this.part("empty"), location.pathname);
  }

  /** The campaign whose turn it is next; without a connection it is waited for. */
  async #showNextDesk() {
    const turn = this.#turn;
    if (this.#leavingAt === turn) return;
    this.#leavingAt = turn;
    for (let failures = 0; turn === this.#turn; failures++) {
      try {
        const { page, confirmed } = await this.#loadNextDesk();
        if (turn !== this.#turn) break; // they went back to their last answer
        const { refusal } = this.notice;
        if (!(await takeOver(page, { confirmed, refusal }))) location.assign(this.dataset.next);
        return;
      } catch (error) {
        if (error instanceof Refused || error instanceof Paused) return location.reload();
        this.notice.waitFor({ why: whyWaiting(error), sentence: error.message });
        await this.backoff.wait(failures);
      }
    }
    this.notice.waitFor(null);
  }

  /** { page, confirmed }: the details of the outbox's "sent" meanwhile. */
  async #loadNextDesk() {
    const confirmed = [];
    const note = ({ detail }) => confirmed.push(detail);
    this.outbox.addEventListener("sent", note);
    try {
      return { page: await load(this.dataset.next), confirmed };
    } finally {
      this.outbox.removeEventListener("sent", note);
    }
  }

  #showLoading() {
    if (this.clip) return;
    this.player.clear();
    if (!this.isPaused && !this.part("status").textContent) this.setStatus(this.word("loading"));
  }

  unplayable() {
    if (!this.clip) return; // the player is empty between two clips
    this.gate.isUnplayable = true;
    this.gate.update();
    this.setStatus(this.word("unplayable"));
  }
}
