// Storage on this device: work by the account's number, which is not a name, and choices for the device.

const WORK = "tagger:work:";
const CHOICES = "tagger:choices:";

/** One account's work. Opening it removes what other accounts left on this device. */
export class DeviceStore {
  #prefix;
  #memory = new Map();

  constructor(account) {
    this.#prefix = `${WORK}${account}:`;
    for (const key of storedKeys(WORK)) if (!key.startsWith(this.#prefix)) localStorage.removeItem(key);
  }

  /** Whether all work survives the page. It does not if the browser refuses storage or has no space. */
  get isLasting() {
    return !this.#memory.size;
  }

  /** The keys with this prefix, sorted. */
  keys(prefix) {
    const stored = storedKeys(this.#prefix + prefix).map((key) => key.slice(this.#prefix.length));
    const remembered = [...this.#memory.keys()].filter((key) => key.startsWith(prefix));
    return [...new Set([...stored, ...remembered])].sort();
  }

  get(key) {
    return this.#memory.get(key) ?? read(this.#prefix + key);
  }

  put(key, value) {
    if (write(this.#prefix + key, value)) this.#memory.delete(key);
    else this.#memory.set(key, value);
  }

  remove(key) {
    this.#memory.delete(key);
    remove(this.#prefix + key);
  }

  /** Calls back with each key that another tab wrote or removed, and whether it exists now. */
  watch(callback) {
    window.addEventListener("storage", ({ key, newValue }) => {
      if (key?.startsWith(this.#prefix)) callback(key.slice(this.#prefix.length), newValue !== null);
    });
  }
}

/** How many unsent letters of any account are here. For the logout page. */
export function unsentHere() {
  return storedKeys(WORK).filter((key) => key.includes(":letter:")).length;
}

export function removeAllWork() {
  storedKeys(WORK).forEach(remove);
}

/** A choice that was made on this device, or null. */
export function choice(name) {
  return read(CHOICES + name);
}

export function choose(name, value) {
  write(CHOICES + name, value);
}

function storedKeys(prefix) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return []; // the browser refuses storage
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

function remove(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // the browser refuses storage, so there is nothing to remove
  }
}
