// Ten answers make a set: a row of dots fills up, and after the tenth answer a pause is offered.

import { choice, choose } from "./sync/device-store.js";

const SET_SIZE = 10; // the same as on the server
const CHOICE = "pause";

/** Uses the desk's parts "set" (the dots), "set-text" (the same in words) and "pause". */
export class SetOfTen {
  #desk;
  #given = 0;

  constructor(desk) {
    this.#desk = desk;
    const field = desk.querySelector("[name=pauses]");
    field.checked = choice(CHOICE) ?? true;
    field.addEventListener("change", () => choose(CHOICE, field.checked));
    // A key that is still pressed from the last answer must not end the pause.
    desk.part("pause").addEventListener("keydown", (event) => event.repeat && event.preventDefault());
    this.#draw();
  }

  /** Whether the pause comes next, until `restart`. */
  get isFull() {
    return this.#given === SET_SIZE && this.#desk.querySelector("[name=pauses]").checked;
  }

  /** Whether all ten were given, also when no pause is wanted after them. */
  get isOver() {
    return this.#given === SET_SIZE;
  }

  /** How many answers it still takes. */
  get left() {
    return SET_SIZE - this.#given;
  }

  /** Counts a new answer; skips, reports and changes of earlier answers do not count. */
  add() {
    this.#given = (this.#given % SET_SIZE) + 1;
    this.#draw();
  }

  restart() {
    this.#given = 0;
    this.#draw();
  }

  #draw() {
    const dots = [...this.#desk.part("set").children];
    dots.forEach((dot, number) => dot.classList.toggle("is-given", number < this.#given));
    this.#desk.part("set-text").textContent = this.#desk.word("set-text").replace("{n}", this.#given);
  }
}
