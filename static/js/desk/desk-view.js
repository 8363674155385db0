// The desk's page: its texts, its parts, and which of them are shown.

export class DeskView extends HTMLElement {
  get report() {
    return this.part("report");
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }

  /** A text of the page; undefined when it has none of this name. */
  word(name) {
    return this.part("words").content.querySelector(`[data-word="${CSS.escape(name)}"]`)?.textContent;
  }

  get keyWords() {
    return { Space: this.word("key-space"), Control: this.word("key-control"), Alt: this.word("key-alt") };
  }

  /** Whether the script could not start in this browser: then the form works as it does without one. */
  get isWithoutScript() {
    return this.classList.contains("without-script");
  }

  /** Runs what the script does first. If this browser cannot, the page says so and stays the form that it was. */
  start(first) {
    try {
      first();
    } catch (error) {
      console.error(error);
      this.stopKeys?.();
      this.classList.add("without-script");
      this.part("without-script").hidden = false;
      for (const audio of this.querySelectorAll("audio")) Object.assign(audio, { controls: true, hidden: false });
      for (const shown of this.querySelectorAll(".transport")) shown.hidden = true;
      for (const button of this.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    }
  }

  setStatus(text) {
    this.part("status").textContent = text;
  }

  /** What happened to an answer, for screen readers; short, because the next clip is already playing. */
  announce(text) {
    this.part("announcement").textContent = text;
  }

  /** Removes the status, if it is this text. */
  clearStatus(name) {
    if (this.part("status").textContent === this.word(name)) this.setStatus("");
  }

  showCard() {
    this.#showOnly("clip");
    this.clearStatus("loading");
  }

  showEmpty() {
    this.#showOnly("empty");
    this.part("empty").focus();
    this.clearStatus("loading");
  }

  showPause() {
    this.#showOnly("pause");
    this.querySelector("[data-act=go-on]").focus();
  }

  #showOnly(name) {
    for (const each of ["clip", "empty", "pause"]) this.part(each).hidden = each !== name;
  }

  /** The hint that more of the clip must be heard first. It keeps its place, so that no answer moves. */
  drawHint(isOpen) {
    this.part("hint").classList.toggle("is-over", isOpen);
    if (isOpen) this.clearStatus("hear-first");
  }

  /** The label and the value of the answer that is being changed; neither when the clip is new. */
  drawRevising(label, value) {
    this.part("revising").hidden = label === undefined;
    this.part("skip").hidden = label !== undefined;
    this.part("revised").textContent = label ?? "";
    for (const button of this.querySelectorAll(".answer")) {
      if (label === undefined) button.removeAttribute("aria-pressed");
      else button.setAttribute("aria-pressed", button.value === value);
    }
  }

  /** One more answer today; `isHere`: to this campaign. */
  countOne({ isHere }) {
    for (const count of [isHere && document.getElementById("answered"), this.part("today")].filter(Boolean)) {
      count.textContent = Number(count.textContent) + 1;
    }
    const bars = this.querySelectorAll("[data-part=goal] rect"); // none without a goal for the day
    const filled = (bars.length * Number(this.part("today").textContent)) / Number(this.part("goal")?.dataset.votes);
    bars.forEach((bar, n) => bar.classList.toggle("is-done", n < filled));
  }

  closeReport() {
    if (this.report.contains(document.activeElement)) this.report.querySelector("summary").focus();
    this.report.open = false;
  }
}
