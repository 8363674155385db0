// The note of a report, screened for contacts before it is sent: a report that the server refused would be lost.

/** `rules`: elements with data-rule, each a pattern of the server, and the sentence for it. */
export class ReportNote {
  #box;
  #error;
  #rules;

  constructor(form, rules) {
    this.#box = form.querySelector("[name=note]");
    this.#error = form.querySelector("[role=alert]");
    this.#rules = [...rules].map(({ dataset, textContent }) => [new RegExp(dataset.rule, "i"), textContent]);
    this.#box.addEventListener("input", () => this.#say(""));
  }

  get text() {
    return this.#box.value.trim().replace(/\s+/g, " ");
  }

  /** Whether the note may be sent. If not, the form says why and the note has the focus. */
  check() {
    const broken = this.#rules.find(([rule]) => rule.test(this.text.normalize("NFKC")));
    this.#say(broken ? broken[1] : "");
    if (broken) this.#box.focus();
    return !broken;
  }

  clear() {
    this.#box.value = "";
    this.#say("");
  }

  #say(sentence) {
    this.#error.textContent = sentence;
    if (sentence) this.#box.setAttribute("aria-invalid", "true");
    else this.#box.removeAttribute("aria-invalid");
  }
}
