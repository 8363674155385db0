// Shows the typed guidelines as volunteers will read them. The server turns them into HTML, as on every page.

customElements.define(
  "guidelines-preview",
  class extends HTMLElement {
    #shown;

    connectedCallback() {
      this.#shown = this.querySelector("[data-part=shown]");
      const button = this.querySelector("[data-act=preview]");
      button.hidden = false;
      button.addEventListener("click", () => this.#show());
    }

    async #show() {
      const form = this.closest("form");
      const body = new FormData();
      body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      body.set("guidelines", form.elements.guidelines.value);
      try {
        const response = await fetch(this.dataset.address, { method: "POST", body });
        if (response.redirected || !response.ok) throw new Error(response.statusText); // logged out
        this.#shown.innerHTML = await response.text();
      } catch {
        this.#shown.textContent = this.dataset.unreachable;
      }
    }
  },
);
