// The answers that can still be changed, newest first, as a list on the page.

const MAX_ANSWERS = 10; // the same as the server's limit

/** An entry is { assignment, annotation, answer, several (speakers), seconds, sound, state, reason }; state: sent, waiting or refused. */
export class LastAnswers {
  #list;
  #row;
  #word;
  #entries;

  /** `rendered`: answers that the server rendered. `letters`: what it may not have received. `word` gives the page's texts. */
  constructor(list, { row, rendered, letters, word }) {
    this.#list = list;
    this.#row = row;
    this.#word = word;
    this.#entries = rendered.map((entry) => ({ state: "sent", sound: null, reason: "", ...entry }));
    for (const { kind, assignment, body } of letters) {
      const answer = body.answer ?? body.transcript;
      const several = Boolean(body.several_speakers);
      if (kind === "annotation" && !this.of(assignment)) this.add({ assignment, answer, several, seconds: 0, sound: null });
      else if (kind === "change") this.change(assignment, answer, several);
    }
    this.#draw();
  }

  add(entry) {
    this.#entries.unshift({ annotation: null, reason: "", ...entry, state: "waiting" });
    this.#entries.splice(MAX_ANSWERS).forEach(releaseSound);
    this.#keepFewSounds();
    this.#draw();
  }

  change(assignment, answer, several) {
    this.#set(assignment, { answer, several, state: "waiting", reason: "" });
  }

  confirm(assignment, annotation) {
    this.#set(assignment, { annotation, state: "sent", reason: "" });
    this.#keepFewSounds();
  }

  refuse(assignment, reason) {
    this.#set(assignment, { state: "refused", reason });
  }

  /** The clip was withdrawn or reported, and cannot be heard again. */
  drop(assignment) {
    this.#entries.filter((entry) => isOf(entry, assignment)).forEach(releaseSound);
    this.#entries = this.#entries.filter((entry) => !isOf(entry, assignment));
    this.#draw();
  }

  of(assignment) {
    return this.#entries.find((entry) => isOf(entry, assignment)) ?? null;
  }

  /** The answer before this one, or without an entry the newest; null when there is none. */
  before(entry) {
    return this.#entries[this.#entries.indexOf(entry) + 1] ?? null;
  }

  /** labelOf("yes") is "Yes"; a transcript is its own label. */
  labelOf(answer) {
    return this.#word(`answer-${answer || "no-speech"}`) ?? answer;
  }

  #set(assignment, changes) {
    const entry = this.of(assignment);
    if (!entry) return;
    Object.assign(entry, changes);
    this.#draw();
  }

  /** Keeps the newest sound, for undo, and those of unsent answers. The others are requested again when needed. */
  #keepFewSounds() {
    this.#entries.slice(1).filter(({ state }) => state === "sent").forEach(releaseSound);
  }

  #draw() {
    this.#list.replaceChildren(...this.#entries.map((entry) => this.#drawn(entry)));
    this.#list.closest("details").hidden = !this.#entries.length;
  }

  #drawn({ assignment, answer, state, reason }) {
    const row = this.#row.content.cloneNode(true);
    const label = this.labelOf(answer);
    row.querySelector(".said").textContent = label;
    row.querySelector(".answer-state").textContent = `${this.#word(`state-${state}`)} ${reason && `(${reason})`}`;
    const button = row.querySelector("button");
    button.dataset.revise = assignment;
    button.querySelector(".visually-hidden").textContent = label;
    return row;
  }
}

function isOf(entry, assignment) {
  return String(entry.assignment) === String(assignment);
}

function releaseSound(entry) {
  if (entry.sound) URL.revokeObjectURL(entry.sound.url);
  entry.sound = null;
}
