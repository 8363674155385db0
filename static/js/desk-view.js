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

  say(text) {
    this.part("status").textContent = text;
  }

  unsay(name) {
    if (this.part("status").textContent === this.word(name)) this.say("");
  }

  showCard() {
    this.part("clip").hidden = false;
    this.part("empty").hidden = true;
    this.unsay("loading");
  }

  showEmpty() {
    this.part("clip").hidden = true;
    this.part("empty").hidden = false;
    this.part("empty").focus();
    this.say("");
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
    const answered = document.getElementById("answered");
    answered.textContent = Number(answered.textContent) + 1;
  }

  closeReport() {
    if (this.report.contains(document.activeElement)) this.report.querySelector("summary").focus();
    this.report.open = false;
  }
}
