// What is kept on this device. Work is kept by the account's number, which names nobody; choices by the device.

const WORK = "tagger:work:";
const CHOICES = "tagger:choices:";

/** One account's work; opening it wipes what any other account left here. */
export class DeviceStore {
  #prefix;
  #memory = new Map();

  constructor(account) {
    this.#prefix = `${WORK}${account}:`;
    for (const key of storedKeys(WORK)) if (!key.startsWith(this.#prefix)) localStorage.removeItem(key);
  }

  /** Whether all of it outlives the page; not so where the browser refuses storage, or has no room. */
  get isLasting() {
    return !this.#memory.size;
  }

  /** The keys that begin so, in their order. */
  keys(beginning) {
    const stored = storedKeys(this.#prefix + beginning).map((key) => key.slice(this.#prefix.length));
    const remembered = [...this.#memory.keys()].filter((key) => key.startsWith(beginning));
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
    forget(this.#prefix + key);
  }

  /** Calls back with the key that another tab wrote or removed, and whether it is there now. */
  watch(callback) {
    window.addEventListener("storage", ({ key, newValue }) => {
      if (key?.startsWith(this.#prefix)) callback(key.slice(this.#prefix.length), newValue !== null);
    });
  }
}

/** How many answers of anybody's wait here, and the way to forget all work: for logging out. */
export function unsentHere() {
  return storedKeys(WORK).filter((key) => key.includes(":letter:")).length;
}

export function forgetAllWork() {
  storedKeys(WORK).forEach(forget);
}

/** A choice of whoever uses this device, or null. */
export function choice(name) {
  return read(CHOICES + name);
}

export function choose(name, value) {
  write(CHOICES + name, value);
}

function storedKeys(beginning) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(beginning));
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

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // then there is nothing to forget
  }
}
