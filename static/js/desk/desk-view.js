// What the desk's page shows: its words, its parts, and which of them stand there now.

export class DeskView extends HTMLElement {
  get report() {
    return this.part("report");
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }

  /** Undefined when the page has no such word. */
  word(name) {
    return this.part("words").content.querySelector(`[data-word="${CSS.escape(name)}"]`)?.textContent;
  }

  get keyWords() {
    return { Space: this.word("key-space"), Control: this.word("key-control"), Alt: this.word("key-alt") };
  }

  say(text) {
    this.part("status").textContent = text;
  }

  /** What became of an answer, for those who do not see the next clip come; short, as the clip sounds by then. */
  tell(text) {
    this.part("announcement").textContent = text;
  }

  unsay(name) {
    if (this.part("status").textContent === this.word(name)) this.say("");
  }

  showCard() {
    this.#showOnly("clip");
    this.unsay("loading");
  }

  showEmpty() {
    this.#showOnly("empty");
    this.part("empty").focus();
    this.say("");
  }

  showPause() {
    this.#showOnly("pause");
    this.querySelector("[data-act=go-on]").focus();
  }

  #showOnly(name) {
    for (const each of ["clip", "empty", "pause"]) this.part(each).hidden = each !== name;
  }

  /** That an answer needs more of the clip, until it does not. */
  drawHint(isOpen) {
    this.part("hint").textContent = isOpen ? "" : this.word("hear-first");
    if (isOpen) this.unsay("hear-first");
  }

  /** The answer that is being changed, as people and as forms name it; neither when it is a new clip. */
  drawRevising(label, value) {
    this.part("revising").hidden = label === undefined;
    this.part("skip").hidden = label !== undefined;
    this.part("revised").textContent = label ?? "";
    for (const button of this.querySelectorAll(".answer")) {
      if (label === undefined) button.removeAttribute("aria-pressed");
      else button.setAttribute("aria-pressed", button.value === value);
    }
  }

  countOne() {
    for (const count of [document.getElementById("answered"), this.part("today")]) {
      count.textContent = Number(count.textContent) + 1;
    }
  }

  closeReport() {
    if (this.report.contains(document.activeElement)) this.report.querySelector("summary").focus();
    this.report.open = false;
  }
}
