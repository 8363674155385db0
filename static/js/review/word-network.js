// The word network: one column for each place of the transcript, with the words that volunteers wrote there. A press
// takes a word into the box, or plays the clip from about where the word is. Whatever else is in the box stays.

import { isSame, wordPlaces } from "./word-places.js";

// Letters that nothing else on the page has, one for each place at which volunteers differ.
const KEYS = [..."afghjklbctv"];

export class WordNetwork {
  #columns;
  #box;
  #playFrom;
  #say;

  /**
   * `votes`: the volunteers' texts. `playFrom(share)` plays from this share of the speech, 0 to 1. `say(text)` is told
   * the text after each change.
   */
  constructor(list, { box, votes, playFrom, say }) {
    this.#columns = [...list.children].map((element) => new Column(element));
    this.#box = box;
    this.#playFrom = playFrom;
    this.#say = say;
    list.addEventListener("click", ({ target }) => this.#press(target.closest("button")));
    list.querySelectorAll("[data-act=other-word]").forEach((button, n) => (button.dataset.keys = KEYS[n] ?? ""));
    this.#nameVoters(votes);
    this.draw();
  }

  /** Below each word, the numbers of the votes that have it at this place. */
  #nameVoters(votes) {
    const texts = votes.map((text) => text.split(/\s+/).filter(Boolean));
    const places = texts.map((words) => this.#places(words));
    this.#columns.forEach((column, n) => {
      if (column.candidates.length < 2) return;
      const chosen = texts.map((words, vote) => column.indexOf(words[places[vote][n]] ?? ""));
      column.buttons.forEach((button, at) => {
        const voters = chosen.map((each, vote) => each === at && vote + 1).filter(Boolean);
        button.insertAdjacentHTML("beforeend", `<small aria-hidden="true">${voters.join(" ")}</small>`);
      });
    });
  }

  /** Shows which words are in the box. */
  draw() {
    const words = this.#words;
    const places = this.#places(words);
    this.#columns.forEach((column, n) => column.choose(places[n] < 0 ? "" : words[places[n]]));
  }

  get #words() {
    return this.#box.text.split(/\s+/).filter(Boolean);
  }

  #places(words) {
    return wordPlaces(words, this.#columns.map(({ candidates }) => candidates));
  }

  #press(button) {
    const column = this.#columns.find(({ element }) => element.contains(button));
    if (!column) return;
    if ("wordChosen" in button.dataset) this.#take(column, button.dataset.wordChosen);
    else if (button.dataset.act === "other-word") this.#take(column, column.following);
    else if (button.dataset.act === "play-word") this.#playFrom(this.#shareBefore(column));
  }

  #take(column, word) {
    const words = this.#words;
    const places = this.#places(words);
    const at = this.#columns.indexOf(column);
    const after = Math.max(-1, ...places.slice(0, at)) + 1;
    if (places[at] < 0) words.splice(after, 0, word);
    else words.splice(places[at], column.lengthAt(words, places[at]), word);
    this.#box.replace(words.filter(Boolean).join(" "));
    this.draw();
    this.#say(this.#box.text);
  }

  /** Letters before this column, of all: where in the speech it begins, roughly. */
  #shareBefore(column) {
    const lengths = (columns) => columns.reduce((sum, { candidates }) => sum + candidates[0].length + 1, 0);
    return lengths(this.#columns.slice(0, this.#columns.indexOf(column))) / lengths(this.#columns);
  }
}

class Column {
  constructor(element) {
    this.element = element;
    this.buttons = [...element.querySelectorAll("[data-word-chosen]")];
    this.candidates = this.buttons.map(({ dataset }) => dataset.wordChosen);
  }

  indexOf(word) {
    return this.candidates.findIndex((candidate) => isSame(candidate.split(" ")[0], word));
  }

  choose(word) {
    const chosen = this.indexOf(word);
    this.buttons.forEach((button, n) => button.setAttribute("aria-pressed", n === chosen));
  }

  /** The candidate after the chosen one; after the last one the first. */
  get following() {
    const chosen = this.buttons.findIndex((button) => button.getAttribute("aria-pressed") === "true");
    return this.candidates[(chosen + 1) % this.candidates.length];
  }

  /** How many words stand at this place: a candidate may have several. */
  lengthAt(words, at) {
    const several = this.candidates.map((candidate) => candidate.split(" "));
    const fitting = several.filter((each) => each.every((word, n) => isSame(word, words[at + n] ?? "")));
    return Math.max(1, ...fitting.map(({ length }) => length));
  }
}
