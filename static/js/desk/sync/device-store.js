// Storage on this device: work by the account's number, which is not a name, and choices for the device.

const WORK = "tagger:work:";
const CHOICES = "tagger:choices:";
const ENDED = "tagger:ended"; // when it was noticed that the session is over whose work is here
const KEPT_MS = 3600 * 1000; // for this long the work then waits for its owner

/** One account's work. Opening it removes what other accounts left on this device. */
export class DeviceStore {
  #prefix;
  #memory = new Map();

  constructor(account) {
    this.#prefix = `${WORK}${account}:`;
    forgetWork({ exceptOf: account });
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

  /** The name of this key among those of all accounts. */
  idOf(key) {
    return this.#prefix + key;
  }

  /** Calls back with each key that another tab wrote or removed, and whether it exists now. */
  watch(callback) {
    window.addEventListener("storage", ({ key, newValue }) => {
      if (key?.startsWith(this.#prefix)) callback(key.slice(this.#prefix.length), newValue !== null);
    });
  }
}

/** What waits on this device, of any account: { letters } that were not sent, and { drafts } of texts. */
export function waiting() {
  const keys = storedKeys(WORK);
  return {
    letters: keys.filter((key) => key.includes(":letter:")).length,
    drafts: keys.filter((key) => key.includes(":draft:")).length,
  };
}

/** [[id, value], …] of all accounts' work. */
export function entries() {
  return storedKeys(WORK).map((key) => [key, read(key)]);
}

export function removeEntry(id) {
  remove(id);
}

export function forgetWork({ exceptOf = null } = {}) {
  for (const key of storedKeys(WORK)) if (!key.startsWith(`${WORK}${exceptOf}:`)) remove(key);
}

/** Removes the work of a person who left, and the choices too. */
export function forgetEverything() {
  storedKeys("tagger:").forEach(remove);
}

/** The session is over: in how many milliseconds the work is to be deleted. It counts from when this was noticed first. */
export function endSession() {
  const since = read(ENDED) ?? Date.now();
  write(ENDED, since);
  return Math.max(0, since + KEPT_MS - Date.now());
}

/** Its owner is back. */
export function resumeSession() {
  remove(ENDED);
}

/** A function that stores this device's choices again, after everything was cleared. */
export function rememberChoices() {
  const chosen = storedKeys(CHOICES).map((key) => [key, read(key)]);
  return () => chosen.forEach(([key, value]) => write(key, value));
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
