// Shows what a typed rule would lead to, as soon as it is typed. Without this script the button does.

const PAUSE = 700; // ms after the last change

customElements.define(
  "rule-consequences",
  class extends HTMLElement {
    #timer;
    #asked = 0;

    connectedCallback() {
      this.querySelector("button[name=look]").hidden = true;
      this.closest("form").addEventListener("input", ({ target }) => {
        if (["min_annotations", "max_annotations", "confidence", "needs_track_record"].includes(target.name)) this.#later();
      });
    }

    #later() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#look(), PAUSE);
    }

    async #look() {
      const form = this.closest("form");
      const body = new FormData(form);
      body.set("look", "1");
      const asked = ++this.#asked;
      this.toggleAttribute("aria-busy", true);
      try {
        const response = await fetch(form.action, { method: "POST", body });
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const shown = page.querySelector("#consequences");
        if (shown && asked === this.#asked) this.querySelector("#consequences").replaceWith(shown);
      } catch {
        // The site cannot be reached. Saving asks for the same figures, so nothing is saved without them.
      } finally {
        if (asked === this.#asked) this.removeAttribute("aria-busy");
      }
    }
  },
);
