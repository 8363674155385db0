// <review-desk>: decides on clips without page loads, by keys. The page of the next item is loaded in advance, with its
// sound, and takes the place of this one as soon as the server has confirmed the decision.

import "../player/clip-player.js";
import { DeviceStore } from "../desk/sync/device-store.js";
import { Backoff } from "../desk/sync/backoff.js";
import { Refused, post, restrictTo, whyWaiting } from "../desk/sync/api.js";
import { DeskView } from "../desk/desk-view.js";
import { Keymap } from "../keys/keymap.js";
import { KeysDialog } from "../keys/keys-dialog.js";
import { pressByKey } from "../keys/keys.js";
import { prepare } from "../player/sound.js";
import { soundChoices } from "../player/sound-choices.js";
import { TranscriptBox } from "../desk/transcript-box.js";
import { Ended } from "./ended.js";
import { LastDecisions } from "./last-decisions.js";
import { replaceMain, sendForm } from "./page-swap.js";
import { playFromShare, playPart } from "./play-part.js";
import { Silencing } from "./silencing.js";
import { Upcoming } from "./upcoming.js";
import { WordNetwork } from "./word-network.js";

// For this long a new item takes no decision, so that a double click does not decide on it unheard.
const SETTLE_MS = 350;

// While somebody types, the item is lent to them anew this often; a lease lasts a quarter of an hour.
const RENEWED_EVERY_MS = 60_000;

// What cannot be undone is asked for twice.
const FOR_GOOD = ["silence", "destroy"];

// Whether the button itself has the whole answer, whatever is in the box.
const saysAll = (button) => button.name === "no_speech" || button.name === "answer";

// What outlives the item that is shown.
let choices;
// Whoever judges whether something private is said hears all of the clip.
const upcoming = new Upcoming((blob, kind) => prepare(blob, { ...choices, trims: choices.trims && kind === "dispute" }));
const last = new LastDecisions();
const backoff = new Backoff();
let arrived = {}; // { sound, said } of the item that is shown next

class ReviewDesk extends DeskView {
  #sound = null;
  #drafts = []; // the boxes whose texts are kept on this device
  #renewedAt = Date.now(); // opening the page lent it
  #ownText = null; // what the person wrote, before another text took its place

  connectedCallback() {
    // Not before the player in it is on the page, too, which is later where another desk was here before.
    queueMicrotask(() => this.start(() => this.#start()));
  }

  disconnectedCallback() {
    this.stopKeys?.();
    this.#sound && URL.revokeObjectURL(this.#sound.url);
  }

  #start() {
    restrictTo(this.dataset.account, "/review/");
    this.player = this.querySelector("clip-player");
    this.form = this.querySelector("form.acts");
    choices = soundChoices(this, ({ speed }) => (this.player.speed = speed));
    this.ended = new Ended(this);
    this.#openBoxes(new DeviceStore(this.dataset.account));
    this.silencing = new Silencing(this, () => this.#sound?.from ?? 0);
    this.#listen();
    last.show(this);
    if (arrived.said) this.announce(arrived.said);
    setTimeout(() => this.removeAttribute("aria-busy"), SETTLE_MS);
    this.#play();
  }

  #openBoxes(store) {
    const { item } = this.dataset;
    const [answer, remark] = [this.querySelector("[name=answer]:not(button)"), this.querySelector("[name=remark]")];
    if (answer) {
      const text = answer.value;
      this.box = this.#keep(answer, store, `review-${item}`, text);
      answer.addEventListener("input", () => this.network?.draw());
      answer.addEventListener("keydown", (event) => event.key === "Escape" && this.querySelector("h1").focus());
    }
    if (remark) this.#keep(remark, store, `review-note-${item}`, remark.value);
    const list = this.querySelector(".network");
    if (!list) return;
    const votes = [...this.querySelectorAll(".votes li")].map((vote) => vote.querySelector("[data-adopt]")?.dataset.adopt ?? "");
    const playFrom = (share) => this.#sound && playFromShare(this.player, this.#sound, share);
    this.network = new WordNetwork(list, { box: this.box, votes, playFrom, say: (text) => this.announce(text) });
  }

  #keep(field, store, name, text) {
    const box = new TranscriptBox(field, store);
    box.show(name, text);
    field.addEventListener("input", () => this.#renew());
    this.#drafts.push(box);
    return box;
  }

  /** Without a connection nothing is said: the decision will say it, and the text is on this device. */
  async #renew() {
    if (!this.hasAttribute("data-open") || Date.now() - this.#renewedAt < RENEWED_EVERY_MS) return;
    this.#renewedAt = Date.now();
    try {
      await post(`/api/v1/reviews/${this.dataset.item}/renew/`);
    } catch (error) {
      if (error instanceof Refused && this.isConnected) this.#refuse(error.message);
    }
  }

  #listen() {
    const keymap = new Keymap(this, "review", this.keyWords);
    this.help = new KeysDialog(this.part("help"), keymap, { word: (name) => this.word(name), needsControl: false });
    this.stopKeys = pressByKey(this, () => this.hasAttribute("data-ended") || Boolean(this.querySelector("dialog[open]")));
    this.addEventListener("submit", (event) => this.#submit(event));
    this.addEventListener("click", (event) => this.#click(event));
    this.player.on("play", () => this.clearStatus("press-play"));
    this.player.on("error", () => this.setStatus(this.word("unplayable")));
  }

  get #isBusy() {
    return this.hasAttribute("aria-busy");
  }

  #submit(event) {
    const { submitter, target } = event;
    const { undo, act } = target.dataset;
    let isDone = false;
    if (target === this.form) isDone = this.#decide(submitter);
    else if (target.closest("dialog")) isDone = this.#confirm();
    else if (undo) isDone = this.#undo(undo);
    else if (act === "dismiss-all") isDone = this.#dismissAll(target);
    if (isDone) event.preventDefault();
  }

  #click(event) {
    const { target, detail } = event;
    const button = target.closest("button, a, [data-act]");
    if (button?.matches("dialog a")) return void this.#closeSure(event);
    const { act, adopt, from, to } = button?.dataset ?? {};
    if (act === "help") this.help.open();
    if (act === "next") this.#next();
    if (act === "undo") this.#undo(last.newest(this));
    if (act === "edit") this.box.focus();
    if (act === "add-part" && !this.silencing.addMarked()) this.setStatus(this.word("mark-first"));
    if (act === "own-text") this.#adopt(this.#ownText);
    if (adopt !== undefined) this.#adopt(adopt);
    if (to) this.#playReported(Number(from), Number(to));
    // Enter and the space bar decide and play: they must not press again the button that was clicked.
    if (detail && button?.closest(".network, .votes, .rows")) this.querySelector("h1").focus({ preventScroll: true });
  }

  // --- the text -------------------------------------------------------------------------------------

  #adopt(text) {
    const known = [...this.querySelectorAll("[data-adopt]")].map(({ dataset }) => dataset.adopt);
    const { text: before } = this.box;
    if (before && before !== this.form.dataset.leading && !known.includes(before)) this.#ownText = before;
    this.box.replace(text);
    this.network?.draw();
    this.querySelector("[data-act=own-text]").hidden = this.#ownText === null || this.#ownText === text;
    this.announce(text);
  }

  // --- the sound ------------------------------------------------------------------------------------

  async #play() {
    this.#sound = arrived.sound ?? (await upcoming.soundOf(this).catch(() => null));
    arrived = {};
    if (!this.isConnected) return;
    upcoming.preload(this.dataset.next);
    if (!this.#sound) return; // the play button requests it again
    const playing = this.player.show(this.#sound, { isPlayed: choices.autoplays });
    if (!(await playing)) this.setStatus(this.word("press-play"));
  }

  /** In seconds of the clip as it is stored; this sound begins later, if silence was trimmed. */
  #playReported(from, to) {
    const before = this.#sound?.from ?? 0;
    playPart(this.player, Math.max(0, from - before), to - before);
  }

  // --- decisions ------------------------------------------------------------------------------------

  /** Whether this is an act of the form that is done here. */
  #decide(button) {
    if (this.isWithoutScript || !button) return false;
    const { act } = button.dataset;
    if (this.#isBusy) return true;
    if (this.box && act === "accept" && !saysAll(button) && !this.box.text) {
      this.setStatus(this.word("write-first"));
      return true;
    }
    if (FOR_GOOD.includes(act)) this.#ask(button);
    else this.#send(act, this.#body(button));
    return true;
  }

  /** What silencing would leave, or what destroying means, in the server's words, before it is done. */
  async #ask(button) {
    const { act } = button.dataset;
    if (act === "silence" && !this.silencing.addMarked() && !this.silencing.parts.length) {
      return this.setStatus(this.word("mark-first"));
    }
    const dialog = this.part("sure-dialog");
    const isAsked = await this.#try(async () => {
      dialog.replaceChildren(...(await sendForm(this.form, button.formAction, "[data-part=sure]")).childNodes);
    });
    if (!isAsked) return;
    this.removeAttribute("aria-busy");
    dialog.dataset.act = act;
    dialog.showModal();
    dialog.querySelector(act === "destroy" ? "a" : "button").focus();
  }

  #confirm() {
    const { act } = this.part("sure-dialog").dataset;
    this.#closeSure();
    this.#send(act, act === "silence" ? { parts: this.silencing.parts } : {});
    return true;
  }

  #closeSure(event) {
    event?.preventDefault();
    this.part("sure-dialog").close();
  }

  #body(button) {
    const { act } = button.dataset;
    const field = (name) => this.form.querySelector(`[name=${name}]:not(button)`);
    const body = { note: field("remark").value.trim().replace(/\s+/g, " ") };
    if (act === "unusable") body.reason = field("reason").value;
    if (act === "ask-more") body.number = Number(field("number").value);
    if (act !== "accept") return body;
    if (field("is_example")?.checked) Object.assign(body, { is_example: true, example_note: field("note").value });
    if (!this.box) return { ...body, answer: button.value };
    if (button.name === "no_speech") return { ...body, transcript: "" };
    return { ...body, transcript: saysAll(button) ? button.value : this.box.text };
  }

  async #send(act, body) {
    const { item } = this.dataset;
    if (!(await this.#try(() => post(`/api/v1/reviews/${item}/${act}/`, body)))) return;
    if (act === "silence" && this.dataset.kind === "dispute") return this.#showAgain(); // it still needs an answer
    for (const box of this.#drafts) box.discard();
    if (act !== "put-back" && !FOR_GOOD.includes(act)) last.add(item);
    await this.#next(this.word(act === "put-back" ? "put-back" : "saved"));
  }

  #showAgain() {
    return this.#show(() => upcoming.read(location.href), this.word("silenced"));
  }

  /** The form's page lists the queue; here the next item follows, as this one is probably decided. */
  #dismissAll(form) {
    if (this.isWithoutScript) return false;
    if (!this.#isBusy) this.#sendForm(form);
    return true;
  }

  async #sendForm(form) {
    if (await this.#try(() => sendForm(form, form.action, "form.toolbar"))) await this.#next(this.word("saved"));
  }

  /** Undoes what this reviewer decided on an item, and shows it again; this one comes after it. */
  #undo(item) {
    if (this.isWithoutScript) return false;
    if (!item) this.setStatus(this.word("nothing-to-undo"));
    else if (!this.#isBusy) this.#bringBack(item);
    return true;
  }

  async #bringBack(item) {
    if (!(await this.#try(() => post(`/api/v1/reviews/${item}/undo/`)))) return;
    last.remove(item);
    if (this.hasAttribute("data-open")) upcoming.putFirst(location.href);
    await this.#show(() => upcoming.read(`${this.dataset.items}${item}/${location.search}`), this.word("undone"));
  }

  /** Whether the call succeeded. If not, the page says why, keeps all that was typed, and the key tries again. */
  async #try(call) {
    this.setAttribute("aria-busy", "true");
    this.setStatus("");
    this.part("refused").hidden = true;
    try {
      await call();
      return true;
    } catch (error) {
      this.removeAttribute("aria-busy");
      if (error instanceof Refused) this.#refuse(error.message);
      else if (whyWaiting(error) === "unreachable") this.setStatus(this.word("unreachable"));
      else this.ended.hide(whyWaiting(error));
      return false;
    }
  }

  #refuse(sentence) {
    this.part("refused-text").textContent = sentence;
    this.part("refused").hidden = false;
  }

  // --- the next item --------------------------------------------------------------------------------

  async #next(said = "") {
    this.player.audio.pause();
    await this.#show(() => upcoming.next(this.dataset.next), said);
  }

  /** Shows what `find` finds, as soon as there is a connection. */
  async #show(find, said) {
    this.setAttribute("aria-busy", "true");
    const loading = setTimeout(() => this.setStatus(this.word("loading")), SETTLE_MS);
    for (let failures = 0; this.isConnected; failures++) {
      try {
        const found = await find();
        clearTimeout(loading);
        return this.#replace(found, said);
      } catch (error) {
        clearTimeout(loading);
        if (error instanceof Refused) return void location.assign("/review/");
        if (whyWaiting(error) === "unreachable") this.setStatus(this.word("no-clips"));
        else this.ended.hide(whyWaiting(error));
        await backoff.wait(failures);
      }
    }
  }

  #replace(found, said) {
    const shown = found.page.querySelector("main review-desk, main [data-part=nothing-left]");
    if (!shown) return void location.assign(found.address); // the log-in page, for example
    arrived = { sound: found.sound, said };
    replaceMain(found);
    const heading = document.querySelector("main h1");
    heading.tabIndex = -1;
    heading.focus();
  }
}

customElements.define("review-desk", ReviewDesk);
