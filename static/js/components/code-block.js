// A button that copies the code before it. Without this script it stays hidden, and people select by hand.

const SHOWN_FOR = 2500; // milliseconds

customElements.define(
  "code-block",
  class extends HTMLElement {
    #button;
    #said;

    connectedCallback() {
      this.#button = this.querySelector("button");
      this.#said = this.querySelector("[role=status]");
      this.#button.hidden = false;
      this.#button.addEventListener("click", () => this.#copy());
    }

    async #copy() {
      try {
        await navigator.clipboard.writeText(this.#code.textContent);
      } catch {
        this.#copyAsBefore(); // a site without HTTPS has no clipboard, nor has a browser that refuses it
      }
      this.#tell(true);
      setTimeout(() => this.#tell(false), SHOWN_FOR);
    }

    get #code() {
      return this.querySelector("code");
    }

    /** Selects the code as well, so that it can be copied by hand if this fails too. */
    #copyAsBefore() {
      getSelection().selectAllChildren(this.#code);
      document.execCommand("copy");
    }

    #tell(isCopied) {
      this.#button.classList.toggle("copied", isCopied);
      this.querySelector("[data-part=copy]").hidden = isCopied;
      this.querySelector("[data-part=copied]").hidden = !isCopied;
      this.#said.textContent = isCopied ? this.#said.dataset.word : "";
    }
  },
);
