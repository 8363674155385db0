// <import-progress>: the counts of an import that runs, read anew while somebody looks; at its end the page is loaded again.

import { get, restrictTo } from "../desk/sync/api.js";

const EVERY_MS = 2000;

customElements.define(
  "import-progress",
  class extends HTMLElement {
    connectedCallback() {
      restrictTo(this.dataset.account, location.pathname);
      this.#look();
    }

    async #look() {
      while (this.isConnected) {
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
        if (!document.hidden) await this.#show().catch(() => {}); // the next look may succeed
      }
    }

    async #show() {
      const { state, counts } = await (await get(this.dataset.address)).json();
      if (state !== this.dataset.state) location.reload();
      for (const [name, value] of Object.entries(counts)) {
        this.querySelector(`[data-count=${name}]`).textContent = new Intl.NumberFormat(document.documentElement.lang).format(value);
      }
    }
  },
);
