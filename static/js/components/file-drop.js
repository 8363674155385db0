// Files can be dropped around a file input, and what is chosen is listed. Without this script it is the input alone.

const KILOBYTE = 1000;

customElements.define(
  "file-drop",
  class extends HTMLElement {
    #input;
    #chosen;

    connectedCallback() {
      this.#input = this.querySelector("input[type=file]");
      this.#chosen = this.querySelector(".chosen");
      this.#input.addEventListener("change", () => this.#list());
      for (const name of ["dragenter", "dragover"]) this.addEventListener(name, (event) => this.#over(event, true));
      for (const name of ["dragleave", "drop"]) this.addEventListener(name, (event) => this.#over(event, false));
      this.addEventListener("drop", ({ dataTransfer }) => this.#take(dataTransfer.files));
    }

    #over(event, isOver) {
      event.preventDefault();
      this.toggleAttribute("data-over", isOver);
    }

    #take(files) {
      if (!files.length) return;
      this.#input.files = files;
      this.#input.dispatchEvent(new Event("change", { bubbles: true }));
    }

    #list() {
      this.#chosen.replaceChildren(...[...this.#input.files].map((file) => this.#row(file)));
    }

    #row({ name, size }) {
      const row = document.createElement("li");
      const told = document.createElement("span");
      told.className = "soft number";
      told.textContent = new Intl.NumberFormat(document.documentElement.lang, {
        style: "unit",
        unit: "kilobyte",
        maximumFractionDigits: 0,
      }).format(Math.ceil(size / KILOBYTE));
      row.append(name, told);
      return row;
    }
  },
);
