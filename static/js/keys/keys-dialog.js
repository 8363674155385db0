// The dialog that lists all keys, and lets the person change them or switch them off.

import { isCombined, nameOf } from "./keys.js";

const MODIFIERS = new Set(["Control", "Shift", "Alt", "AltGraph", "Meta", "CapsLock", "Dead"]);

/**
 * `word` gives the texts of the page by name. `needsControl`: text is typed on this page, so an action's key needs
 * Ctrl, Alt or ⌘.
 */
export class KeysDialog {
  #dialog;
  #keymap;
  #word;
  #needsControl;
  #waitingFor = null;

  constructor(dialog, keymap, { word, needsControl }) {
    this.#dialog = dialog;
    this.#keymap = keymap;
    this.#word = word;
    this.#needsControl = needsControl;
    dialog.addEventListener("click", ({ target }) => this.#click(target));
    dialog.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    dialog.addEventListener("close", () => this.#wait(null));
    this.#box.addEventListener("change", () => (keymap.singleKeys = this.#box.checked));
    keymap.addEventListener("change", () => this.#draw());
  }

  get isOpen() {
    return this.#dialog.hasAttribute("open");
  }

  open() {
    this.#draw();
    this.#note("");
    this.#dialog.showModal();
  }

  get #box() {
    return this.#dialog.querySelector("[name=single-keys]");
  }

  #click(target) {
    if (target === this.#dialog) this.#dialog.close(); // a click on the backdrop
    const { change, act } = target.closest("button")?.dataset ?? {};
    if (act === "reset") this.#keymap.reset();
    if (act === "close") this.#dialog.close();
    if (change) this.#wait(change);
  }

  #key(event) {
    if (!this.#waitingFor) return;
    const name = nameOf(event);
    if (name === "Tab") return this.#wait(null);
    event.preventDefault();
    event.stopPropagation();
    if (MODIFIERS.has(event.key)) return;
    if (name === "Escape") this.#wait(null);
    else if (this.#needsControl && !isCombined(name)) this.#note(this.#word("needs-control"));
    else this.#assign(this.#waitingFor, name);
  }

  #assign(action, key) {
    this.#wait(null);
    const loser = this.#keymap.set(action, key);
    this.#note(loser ? `${this.#word("key-taken")} ${loser.action}` : "");
    this.#dialog.querySelector(`[data-change="${action}"]`).focus();
  }

  #wait(action) {
    this.#waitingFor = action;
    this.#note(action ? this.#word("press-a-key") : "");
    for (const button of this.#dialog.querySelectorAll("[data-change]")) {
      button.setAttribute("aria-pressed", button.dataset.change === action);
    }
  }

  #note(text) {
    this.#dialog.querySelector("[role=status]").textContent = text;
  }

  #draw() {
    this.#box.checked = this.#keymap.singleKeys;
    this.#dialog.querySelector("[data-part=all-keys]").replaceChildren(...this.#keymap.actions.map((each) => this.#row(each)));
  }

  #row({ name, action, keys }) {
    const row = this.#dialog.querySelector("template").content.cloneNode(true);
    row.querySelector(".action").textContent = action;
    row.querySelector(".its-keys").append(...keys.map((key) => this.#kbd(key)));
    const button = row.querySelector("button");
    button.dataset.change = name;
    button.querySelector(".visually-hidden").textContent = action;
    return row;
  }

  #kbd(key) {
    const kbd = document.createElement("kbd");
    kbd.textContent = this.#keymap.labelOf(key);
    return kbd;
  }
}
