// Which key does what on this device: the page's keys, unless the person chose others.

import { choice, choose } from "../desk/sync/device-store.js";
import { isCombined } from "./keys.js";

const SYMBOLS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Enter: "↵", Backspace: "⌫", Delete: "⌦", Meta: "⌘" };

/**
 * Uses the elements with data-key-name (which action), data-action (its name in words) and data-keys. Dispatches
 * "change". `words` are the names of keys that have no symbol: { Space, Control, … }.
 */
export class Keymap extends EventTarget {
  #elements;
  #defaults;
  #words;
  #choiceName;
  #chosen;

  constructor(root, kind, words) {
    super();
    this.#elements = [...root.querySelectorAll("[data-key-name]")];
    this.#defaults = new Map(this.#elements.map(({ dataset }) => [dataset.keyName, split(dataset.keys)]));
    this.#words = words;
    this.#choiceName = `keys:${kind}`;
    this.#chosen = { keys: {}, singleKeys: true, ...choice(this.#choiceName) };
    this.#apply();
  }

  /** [{ name, action, keys }], in the page's order. */
  get actions() {
    return this.#elements.map(({ dataset: { keyName, action } }) => {
      return { name: keyName, action, keys: this.#keysOf(keyName) };
    });
  }

  /** Whether single characters press anything (WCAG 2.1.4). */
  get singleKeys() {
    return this.#chosen.singleKeys;
  }

  set singleKeys(on) {
    this.#chosen.singleKeys = on;
    this.#save();
  }

  /** Makes this the action's only key; returns the action that loses it, or null. */
  set(name, key) {
    const loser = this.actions.find((other) => other.name !== name && other.keys.includes(key)) ?? null;
    if (loser) this.#chosen.keys[loser.name] = loser.keys.filter((each) => each !== key);
    this.#chosen.keys[name] = [key];
    this.#save();
    return loser;
  }

  reset() {
    this.#chosen = { keys: {}, singleKeys: true };
    this.#save();
  }

  /** labelOf("Control+ArrowLeft") is "Ctrl ←" */
  labelOf(key) {
    const parts = key === "+" ? ["+"] : key.split(/\+(?=.)/);
    return parts.map((part) => this.#words[part] ?? SYMBOLS[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ");
  }

  #keysOf(name) {
    return this.#chosen.keys[name] ?? this.#defaults.get(name);
  }

  #save() {
    choose(this.#choiceName, this.#chosen);
    this.#apply();
    this.dispatchEvent(new Event("change"));
  }

  #apply() {
    for (const element of this.#elements) {
      const keys = this.#keysOf(element.dataset.keyName).filter((key) => this.#isOn(key));
      element.dataset.keys = keys.join(" ");
      if (keys.length) element.setAttribute("aria-keyshortcuts", keys.join(" "));
      else element.removeAttribute("aria-keyshortcuts");
      const labels = keys.filter((key) => !key.startsWith("Meta+")).map((key) => create("kbd", this.labelOf(key)));
      element.querySelector(".keys")?.replaceChildren(...labels);
    }
  }

  #isOn(key) {
    return this.singleKeys || key.length > 1 || isCombined(key);
  }
}

function split(keys) {
  return (keys ?? "").split(" ").filter(Boolean);
}

function create(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
