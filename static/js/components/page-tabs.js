// Tabs, made of a list of links to sections of the page. Without this script all sections are there, and the links lead to them.

customElements.define(
  "page-tabs",
  class extends HTMLElement {
    #tabs = [];

    connectedCallback() {
      const list = this.querySelector(".tabs");
      this.#tabs = [...list.querySelectorAll("a")];
      list.setAttribute("role", "tablist");
      for (const item of list.children) item.setAttribute("role", "none");
      for (const tab of this.#tabs) this.#prepare(tab);
      this.#select(this.#named(location.hash) ?? this.#tabs[0]);
      list.addEventListener("click", (event) => this.#click(event));
      list.addEventListener("keydown", (event) => this.#key(event));
      window.addEventListener("hashchange", () => this.#select(this.#named(location.hash)));
    }

    #prepare(tab) {
      const panel = this.#panel(tab);
      tab.id = tab.id || `${panel.id}-tab`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      panel.setAttribute("tabindex", "0");
    }

    #panel(tab) {
      return document.getElementById(tab.hash.slice(1));
    }

    #named(hash) {
      return this.#tabs.find((tab) => tab.hash === hash);
    }

    #select(chosen) {
      if (!chosen) return;
      for (const tab of this.#tabs) {
        tab.setAttribute("aria-selected", tab === chosen);
        tab.setAttribute("tabindex", tab === chosen ? "0" : "-1");
        this.#panel(tab).hidden = tab !== chosen;
      }
    }

    #click(event) {
      const tab = event.target.closest("a");
      if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#choose(tab);
    }

    #choose(tab) {
      this.#select(tab);
      tab.focus();
      history.replaceState(history.state, "", tab.hash);
    }

    /** Arrows follow the direction in which the page is read. */
    #key(event) {
      const here = this.#tabs.indexOf(event.target);
      const forwards = getComputedStyle(this).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
      const last = this.#tabs.length - 1;
      const places = { Home: 0, End: last, ArrowLeft: here - 1, ArrowRight: here - 1, [forwards]: here + 1 };
      if (event.key === " ") event.target.click();
      else if (!(event.key in places)) return;
      else this.#choose(this.#tabs[(places[event.key] + this.#tabs.length) % this.#tabs.length]);
      event.preventDefault();
    }
  },
);
