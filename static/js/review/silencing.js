// The parts of a clip that are to be silenced, in a field as people type them: 1.2-2.5, 4-4.8. A marked part is added
// by a button or its key; each can be heard again, or removed.

import { playPart } from "./play-part.js";

const PART = /(\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)/g;

/** `before()`: how many seconds of the clip come before the sound that plays, because silence was trimmed. */
export class Silencing {
  #desk;
  #field;
  #list;
  #before;

  constructor(desk, before) {
    this.#desk = desk;
    this.#field = desk.part("parts");
    this.#list = desk.part("part-list");
    this.#before = before;
    this.#field.addEventListener("input", () => this.#draw());
    this.#list.addEventListener("click", ({ target }) => this.#press(target.closest("button")));
    this.#draw();
  }

  /** [[from, to], …] in seconds of the clip as it is stored. */
  get parts() {
    return [...this.#field.value.matchAll(PART)].map(([, from, to]) => [Number(from), Number(to)]);
  }

  /** Whether a part was marked, and is added. */
  addMarked() {
    const { marked } = this.#desk.player;
    if (!marked.isMarked) return false;
    const part = [marked.start, marked.end].map((seconds) => this.#before() + seconds);
    this.#write(merged([...this.parts, part]));
    marked.clear();
    return true;
  }

  #write(parts) {
    this.#field.value = parts.map(([from, to]) => `${from.toFixed(2)}-${to.toFixed(2)}`).join(", ");
    this.#draw();
  }

  #press(button) {
    const { playPart: played, removePart: removed } = button?.dataset ?? {};
    if (played) playPart(this.#desk.player, ...this.parts[played].map((seconds) => Math.max(0, seconds - this.#before())));
    if (removed) this.#write(this.parts.filter((_, n) => n !== Number(removed)));
  }

  #draw() {
    this.#list.replaceChildren(...this.parts.map((part, n) => this.#row(part, n)));
  }

  #row([from, to], n) {
    const row = this.#desk.part("part-row").content.cloneNode(true);
    for (const shown of row.querySelectorAll("[dir]")) shown.textContent = `${from.toFixed(1)}–${to.toFixed(1)} s`;
    row.querySelector("[data-play-part]").dataset.playPart = n;
    row.querySelector("[data-remove-part]").dataset.removePart = n;
    return row;
  }
}

/** In their order; those that overlap are one. */
function merged(parts) {
  const found = [];
  for (const [from, to] of parts.sort(([one], [other]) => one - other)) {
    const before = found[found.length - 1];
    if (before && from <= before[1]) before[1] = Math.max(before[1], to);
    else found.push([from, to]);
  }
  return found;
}
