// What browsers of 2021 lack, in the measure that these pages use it. Loaded before every other script.

AbortSignal.timeout ??= (milliseconds) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
};

/** Says to other windows what is said here, by a stored value that is removed again: the others hear of both. */
class StoredChannel extends EventTarget {
  #key;
  #hear = ({ key, newValue }) => {
    if (key !== this.#key || newValue === null) return;
    this.dispatchEvent(new MessageEvent("message", { data: JSON.parse(newValue) }));
  };

  constructor(name) {
    super();
    this.#key = `tagger:channel:${name}`;
    window.addEventListener("storage", this.#hear);
  }

  postMessage(data) {
    try {
      localStorage.setItem(this.#key, JSON.stringify(data) ?? "null");
      localStorage.removeItem(this.#key);
    } catch {
      // the browser refuses storage: the other windows hear nothing
    }
  }

  close() {
    window.removeEventListener("storage", this.#hear);
  }
}
window.BroadcastChannel ??= StoredChannel;

// Which button sent a form: the last one that was pressed in it.
if (!("submitter" in (window.SubmitEvent ?? Event).prototype)) {
  const pressed = new WeakMap();
  const note = ({ target }) => {
    const button = target.closest?.("button, input[type=submit]");
    if (button?.form) pressed.set(button.form, button);
  };
  window.addEventListener("click", note, { capture: true });
  const tell = (event) => {
    const submitter = pressed.get(event.target) ?? null;
    pressed.delete(event.target);
    Object.defineProperty(event, "submitter", { value: submitter });
  };
  window.addEventListener("submit", tell, { capture: true });
}

// A dialog that covers nothing, which site.css hides until it is open.
if (!window.HTMLDialogElement?.prototype.showModal) {
  Object.assign(HTMLElement.prototype, {
    showModal() {
      this.setAttribute("open", "");
      this.querySelector("button, input")?.focus();
    },
    close() {
      this.removeAttribute("open");
      this.dispatchEvent(new Event("close"));
    },
  });
}
