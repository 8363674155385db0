// The parts of a clip that are to be silenced: marked one after the other, heard again, and confirmed in a dialog that
// shows what would be left of the transcript.

import { playPart } from "./play-part.js";

/** Uses the desk's dialog `silence` and what is in it. `parts` are in seconds of the clip as it is stored. */
export class Silencing {
  #desk;
  #dialog;
  #before = 0; // seconds that the sound as it plays here lacks at its beginning
  #parts = [];

  /** `preview(parts)` gives the transcript that would be left, or "" if there is none. */
  constructor(desk, preview) {
    this.#desk = desk;
    this.#dialog = desk.part("silence");
    this.preview = preview;
    this.#dialog.addEventListener("click", ({ target }) => this.#press(target.closest("button")));
  }

  get parts() {
    return this.#parts;
  }

  /** Adds the part that is marked, and asks; false if nothing is marked. */
  ask(before) {
    const { start, end, isMarked } = this.#desk.player.marked;
    this.#before = before;
    if (isMarked) this.#add(before + start, before + end);
    if (!this.#parts.length) return false;
    this.#desk.player.marked.clear();
    this.#draw();
    if (!this.#dialog.hasAttribute("open")) this.#dialog.showModal();
    return true;
  }

  close() {
    this.#dialog.close();
  }

  #add(from, to) {
    this.#parts = [...this.#parts, [from, to].map((seconds) => Number(seconds.toFixed(3)))].sort(([a], [b]) => a - b);
  }

  #press(button) {
    const { play, remove } = button?.dataset ?? {};
    if (play) playPart(this.#desk.player, ...this.#parts[play].map((seconds) => Math.max(0, seconds - this.#before)));
    if (!remove) return;
    this.#parts.splice(remove, 1);
    if (this.#parts.length) this.#draw();
    else this.close();
  }

  #draw() {
    const list = this.#dialog.querySelector("ul");
    list.replaceChildren(...this.#parts.map((part, n) => this.#row(part, n)));
    this.#showText();
  }

  #row(part, n) {
    const row = this.#dialog.querySelector("template").content.cloneNode(true);
    const said = row.querySelector("[data-said]");
    said.textContent = said.dataset.said.replace("{from}", part[0].toFixed(1)).replace("{to}", part[1].toFixed(1));
    row.querySelector("[data-play]").dataset.play = n;
    row.querySelector("[data-remove]").dataset.remove = n;
    for (const name of row.querySelectorAll(".visually-hidden")) name.textContent = said.textContent;
    return row;
  }

  async #showText() {
    const shown = this.#dialog.querySelector("[data-part=text-left]");
    shown.hidden = true;
    const asked = String(this.#parts);
    const text = await this.preview(this.#parts).catch(() => "");
    if (asked !== String(this.#parts)) return;
    shown.querySelector("q").textContent = text;
    shown.hidden = !text;
  }
}
