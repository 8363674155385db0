// From one clip to the next, and back to an earlier one.

import { Refused } from "./sync/api.js";
import { DeskView } from "./desk-view.js";

// The second click of a double click would be an answer to a clip that nobody has heard.
const SETTLE_MS = 350;

/** Over `clips`, `player`, `gate`, `box`, `last`, `set` and `choices`, which the desk sets. */
export class DeskTurns extends DeskView {
  done = ""; // what was done with the clip before this one, until it is told
  clip = null; // { id, sound, earlier }; earlier is the entry of an answer that is being changed
  #turn = 0; // grows with every change of clip: what took longer than that comes too late

  /** The assignment whose clip is shown, or null. */
  get showing() {
    return this.clip && String(this.clip.id);
  }

  /** The next clip; after a set of ten the pause, behind which it waits, loaded. */
  async next() {
    const turn = this.#leave();
    if (this.set.isFull) return this.#pause();
    const loading = setTimeout(() => this.#isLoading(), SETTLE_MS);
    try {
      const clip = await this.clips.next();
      if (turn !== this.#turn) return void (clip && this.clips.putBack(clip));
      if (clip) await this.#show(clip);
      else this.#isEmpty();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.say(error.message); // the campaign was closed, or this is not for volunteers any more
    } finally {
      clearTimeout(loading);
    }
  }

  /** From the pause to the next clip. */
  goOn() {
    this.set.goOn();
    this.showCard(); // what is hidden takes no focus
    (this.box ?? this.player.button).focus();
    this.next();
  }

  undo() {
    const entry = this.last.before(this.clip?.earlier);
    if (entry) this.revise(entry);
    else this.say(this.word("nothing-to-undo"));
  }

  /** An earlier clip again, to be answered anew; the present one comes after it. */
  async revise(entry) {
    if (this.clip && !this.clip.earlier) this.clips.putBack({ ...this.clip, wasHeard: this.gate.isOpen });
    this.box?.putAside();
    const turn = this.#leave();
    try {
      entry.sound ??= await this.clips.soundAgain(entry.assignment);
    } catch (error) {
      if (turn !== this.#turn) return;
      const isGone = error instanceof Refused;
      if (isGone) this.last.drop(entry.assignment);
      await this.next();
      this.say(isGone ? this.word("gone") : this.word("not-to-hear"));
      return;
    }
    if (turn === this.#turn) await this.#show({ id: entry.assignment, sound: entry.sound, earlier: entry });
  }

  /** Between two clips. */
  #leave() {
    this.gate.isBusy = true;
    this.gate.update();
    this.player.audio.pause();
    this.draft?.show(null);
    this.clip = null;
    this.say("");
    this.closeReport();
    this.querySelector(".errorlist")?.remove();
    return ++this.#turn;
  }

  async #show(clip) {
    const turn = this.#turn;
    this.clip = clip;
    this.showCard();
    this.gate.isUnplayable = false;
    this.gate.isWaived = Boolean(clip.earlier || clip.wasHeard);
    const playing = this.player.show(clip.sound, { isPlayed: this.choices.autoplays || Boolean(clip.earlier) });
    this.box?.show(clip.id, clip.earlier?.answer);
    this.draft?.show(clip.earlier ? null : clip.id);
    this.drawRevising(clip.earlier && this.last.labelOf(clip.earlier.answer), clip.earlier?.answer);
    this.drawHint(this.gate.isOpen);
    if (this.done) this.#tellDone(this.word("next-clip"));
    setTimeout(() => turn === this.#turn && this.#settle(), SETTLE_MS);
    const isAllowed = await playing;
    if (turn !== this.#turn) return;
    if (this.player.audio.error) this.unplayable(); // told before the clip was shown, to nobody
    else if (!isAllowed) this.say(this.word("press-play"));
  }

  async #settle() {
    const turn = this.#turn;
    this.gate.isBusy = false;
    this.gate.update();
    this.drawHint(this.gate.isOpen);
    const sound = await this.clips.comingSound();
    if (sound && turn === this.#turn) this.player.expect(sound);
  }

  /** Once for each clip, and together with what comes now: a screen reader speaks over the sound. */
  #tellDone(next = "") {
    this.tell(`${this.done} ${next}`.trim());
    this.done = "";
  }

  #pause() {
    this.player.clear();
    this.#tellDone();
    this.showPause();
  }

  #isEmpty() {
    this.player.clear();
    this.#tellDone();
    this.showEmpty();
  }

  #isLoading() {
    if (this.clip) return;
    this.player.clear();
    this.say(this.word("loading"));
  }

  unplayable() {
    if (!this.clip) return; // emptied between two clips
    this.gate.isUnplayable = true;
    this.gate.update();
    this.say(this.word("unplayable"));
  }
}
