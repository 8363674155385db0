// Ten answers make a set: a row of dots fills, and after the tenth a pause is offered. It holds nobody up.

import { choice, choose } from "./sync/device-store.js";

const A_SET = 10; // as the server has it
const KEPT = "pause";

/** Over the desk's parts "set" (the dots), "set-text" (the same in words) and "pause". */
export class SetOfTen {
  #desk;
  #given = 0;

  constructor(desk) {
    this.#desk = desk;
    const field = desk.querySelector("[name=pauses]");
    field.checked = choice(KEPT) ?? true;
    field.addEventListener("change", () => choose(KEPT, field.checked));
    // A key that is still held down since the answer leaves the pause as it is.
    desk.part("pause").addEventListener("keydown", (event) => event.repeat && event.preventDefault());
    this.#draw();
  }

  /** Whether the pause comes next; it stays so until somebody goes on. */
  get isFull() {
    return this.#given === A_SET && this.#desk.querySelector("[name=pauses]").checked;
  }

  /** One more answer was given: no skip, no report, no change of an earlier answer. */
  add() {
    this.#given = (this.#given % A_SET) + 1;
    this.#draw();
  }

  goOn() {
    this.#given = 0;
    this.#draw();
  }

  #draw() {
    const dots = [...this.#desk.part("set").children];
    dots.forEach((dot, place) => dot.classList.toggle("is-given", place < this.#given));
    this.#desk.part("set-text").textContent = this.#desk.word("set-text").replace("{n}", this.#given);
  }
}
