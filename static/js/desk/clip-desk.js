// <clip-desk>: answers clips without page loads, in the form that the server rendered. The next clip plays while an
// answer is being sent.

import { pageAsServed } from "./sync/page-as-served.js"; // before anything changes it
import "../player/clip-player.js";
import { AnswerGate } from "./answer-gate.js";
import { Backoff } from "./sync/backoff.js";
import { restrictTo } from "./sync/api.js";
import { DeskNavigation } from "./desk-navigation.js";
import { forgetKept } from "./sync/kept.js";
import { DeviceStore, endSession, forgetWork, resumeSession } from "./sync/device-store.js";
import { listenToHeadset } from "../keys/headset.js";
import { Keymap } from "../keys/keymap.js";
import { KeysDialog } from "../keys/keys-dialog.js";
import { pressByKey } from "../keys/keys.js";
import { LastAnswers } from "./last-answers.js";
import { KeptDesk } from "./sync/kept-desk.js";
import { LentClips } from "./sync/lent-clips.js";
import { Letters } from "./letters.js";
import { MachineDraft } from "./machine-draft.js";
import { Outbox } from "./sync/outbox.js";
import { ReportNote } from "./report-note.js";
import { SendingNotice } from "./sending-notice.js";
import { SetOfTen } from "./set-of-ten.js";
import { soundChoices } from "../player/sound-choices.js";
import { prepare } from "../player/sound.js";
import { TranscriptBox } from "./transcript-box.js";

class ClipDesk extends DeskNavigation {
  #late = null; // the timer that deletes the work of someone who does not come back
  #counted = new Set(); // keys of letters, because two tabs may both have sent the same one

  connectedCallback() {
    // Not before the player in it is on the page, too, which is later where another desk was here before.
    queueMicrotask(() => this.start(() => this.#start()));
  }

  #start() {
    const { account } = this.dataset;
    restrictTo(account, "/first-minute/"); // that page redirects only people who are logged out
    this.store = new DeviceStore(account);
    this.letters = new Letters(this.store);
    this.backoff = new Backoff();
    this.outbox = new Outbox(account, this.letters, this.backoff);
    this.notice = new SendingNotice(this, this.outbox, this.backoff);
    this.part("forget").addEventListener("click", () => this.#forget());
    if (this.part("clip")) this.#open();
    else if (this.dataset.continuesIn) setTimeout(() => location.reload(), this.dataset.continuesIn * 1000);
    this.outbox.run();
  }

  disconnectedCallback() {
    this.stopKeys?.();
    this.outbox?.close();
  }

  #open() {
    this.player = this.querySelector("clip-player");
    this.gate = new AnswerGate(this, this.player, Number(this.dataset.mustHear));
    this.choices = soundChoices(this, ({ speed }) => (this.player.speed = speed));
    this.set = new SetOfTen(this);
    const box = this.querySelector(".answers textarea");
    this.box = box && new TranscriptBox(box, this.store);
    this.several = this.querySelector("[name=several_speakers]");
    this.note = new ReportNote(this.report, this.part("words").content.querySelectorAll("[data-rule]"));
    this.draft = this.part("machine") && new MachineDraft(this, (words) => this.box.insert(words));
    // What was confirmed while the page was on its way may be missing in it, just as what was not sent.
    const { confirmed, refusal } = this.inherited;
    const letters = [...confirmed.map(({ letter }) => letter), ...this.letters.all()];
    const own = letters.filter(({ campaign }) => campaign === this.dataset.campaign);
    this.last = new LastAnswers(this.part("last"), {
      row: this.part("last-row"),
      rendered: [...this.part("last-given").children].map(({ dataset }) => ({ ...dataset, several: Boolean(dataset.several) })),
      letters: own,
      word: (name) => this.word(name),
    });
    const now = Date.parse(this.dataset.now);
    this.clips = new LentClips(this.dataset.lend, {
      lent: [...this.part("lent").children].map(({ dataset }) => ({ ...dataset })),
      answered: letters.map(({ assignment }) => assignment),
      now,
      backoff: this.backoff,
      prepare: (blob) => prepare(blob, this.choices),
      wanted: () => (this.isMixed ? this.set.left - 1 : Infinity),
      kept: new KeptDesk(this.store, { page: pageAsServed(), campaign: this.dataset.campaign, skew: Date.now() - now }),
    });
    this.#listenForKeys();
    this.#listen();
    this.notice.refusal = refusal;
    confirmed.forEach((detail) => this.#sent(detail));
    this.next();
  }

  #listenForKeys() {
    const needsControl = Boolean(this.box);
    const keymap = new Keymap(this, this.dataset.kind, this.keyWords);
    this.help = new KeysDialog(this.part("help"), keymap, { word: (name) => this.word(name), needsControl });
    this.stopKeys = pressByKey(this, () => this.report.open || this.help.isOpen);
    listenToHeadset(this.player, document.title);
  }

  #listen() {
    this.addEventListener("submit", (event) => this.#submit(event));
    this.addEventListener("click", (event) => this.#click(event));
    this.report.addEventListener("toggle", () => this.report.open && this.report.querySelector("[data-reason]").focus());
    this.report.addEventListener("keydown", (event) => event.key === "Escape" && this.closeReport());
    this.player.on("error", () => this.unplayable());
    this.player.on("play", () => this.clearStatus("press-play"));
    this.gate.addEventListener("change", () => this.drawHint(this.gate.isOpen));
    this.outbox.addEventListener("sent", ({ detail }) => this.#sent(detail));
    this.outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
    this.letters.watch((assignment) => assignment && this.#answeredElsewhere(assignment));
    this.clips.addEventListener("waiting", ({ detail }) => this.notice.waitFor(detail));
    this.clips.addEventListener("resumed", () => this.notice.waitFor(null));
    // Ask before the page is left only if the browser cannot store the answers.
    window.addEventListener("beforeunload", (event) => this.letters.areLasting || event.preventDefault());
  }

  #submit(event) {
    if (this.isWithoutScript) return;
    event.preventDefault();
    const { submitter } = event;
    if (this.gate.isLocked(submitter)) return void (this.gate.needsMoreHearing(submitter) && this.setStatus(this.word("hear-first")));
    if (event.target.dataset.act === "skip") this.#drop("skip", {});
    else if (event.target.dataset.act === "report") return void this.#sendReport(submitter.value);
    else if (!this.box) this.#answer(submitter.value);
    else if (submitter?.name === "no_speech") this.#answer("");
    else if (this.box.text) this.#answer(this.box.text);
    else this.setStatus(this.word("write-first"));
    this.box?.focus();
  }

  #click({ target, detail }) {
    const button = target.closest("button");
    const { act, revise, insert } = button?.dataset ?? {};
    if (act === "undo") this.undo();
    if (act === "keep") this.next();
    if (act === "help") this.help.open();
    if (act === "go-on" && detail < 2) this.endPause(); // ignore the second click of a double click on an answer
    if (insert) this.box.insert(insert);
    if (revise) this.revise(this.last.of(revise));
    if (act === "close-report") this.closeReport();
    // The space bar plays the clip: it must not press again the button that was clicked.
    if (detail && button?.closest(".answers, .other-acts, .last") && !this.box) this.player.button.focus();
  }

  /** Stores the answer, then plays the next clip, then updates the rest of the page. */
  #answer(answer) {
    const { id, sound, earlier } = this.clip;
    const several = this.several.checked;
    const body = { ...(this.box ? { transcript: answer } : { answer }), ...((several || earlier) && { several_speakers: several }) };
    const letter = { assignment: id, campaign: this.dataset.campaign, body };
    if (earlier) this.outbox.change(letter, earlier.annotation);
    else {
      this.outbox.put({ ...letter, kind: "annotation" });
      this.set.add();
    }
    this.box?.discard();
    const { seconds } = sound;
    this.done = this.box ? this.word("kept-text") : this.word("kept").replace("{answer}", this.last.labelOf(answer));
    this.next();
    if (earlier) this.last.change(id, answer, several);
    else this.last.add({ assignment: id, answer, several, seconds, sound });
  }

  /** In seconds of the clip as it was sent, before silence was trimmed. */
  #markedPart() {
    const { start, end, isMarked } = this.player.marked;
    const { from } = this.clip.sound;
    return isMarked ? { part: [from + start, from + end] } : {};
  }

  /** The reason that was pressed, with the note and the marked part, if there are any. */
  #sendReport(reason) {
    if (!this.note.check()) return;
    const { text } = this.note;
    this.#drop("report", { reason, ...this.#markedPart(), ...(text && { note: text }) });
    this.note.clear();
    this.setStatus(this.word("reported"));
  }

  /** Skip or report. */
  #drop(kind, body) {
    const { id, sound, earlier } = this.clip;
    this.outbox.put({ kind, assignment: id, campaign: this.dataset.campaign, body });
    this.box?.discard();
    if (kind === "skip") this.done = this.word("skipped");
    this.next();
    if (earlier) this.last.drop(id);
    else URL.revokeObjectURL(sound.url);
  }

  #sent({ letter, annotation }) {
    if (!annotation || !this.isConnected) return;
    const isHere = letter.campaign === this.dataset.campaign;
    if (isHere) this.last.confirm(letter.assignment, annotation);
    if (letter.kind !== "annotation" || this.#counted.has(letter.key)) return;
    this.#counted.add(letter.key);
    // An answer that had arrived unconfirmed before the page was rendered is already in the numbers on it.
    if (annotation > this.dataset.newest) this.countOne({ isHere });
  }

  #refused({ letter, reason, status }) {
    if (letter.kind === "change" && !letter.annotation) return; // the refusal of the answer itself was shown
    const why = status === 404 ? this.word("gone") : reason;
    this.notice.refuse(why);
    this.last.refuse(letter.assignment, why);
  }

  /** Hides all but the notice while this person is not logged in, and deletes their work if that lasts. */
  hideUntilBack(isOver) {
    if (isOver === this.hasAttribute("data-ended")) return;
    this.toggleAttribute("data-ended", isOver);
    clearTimeout(this.#late);
    if (!isOver) return void resumeSession();
    forgetKept();
    this.player?.audio.pause();
    this.#late = setTimeout(() => this.#forget(), endSession());
  }

  /** The page that comes is the log-in page, or someone else's. */
  #forget() {
    forgetWork();
    location.reload();
  }

  #answeredElsewhere(assignment) {
    this.clips.drop(assignment);
    if (String(this.clip?.id) !== assignment || this.clip.earlier) return;
    this.box?.discard();
    this.next();
    this.setStatus(this.word("elsewhere"));
  }

}

customElements.define("clip-desk", ClipDesk);
