// Sealed bytes on this device, in IndexedDB. Each is sealed under a key of its own, made of a secret that the browser
// has only while this log-in lasts and of a salt. The salts are stored elsewhere: without one its bytes are lost.

const DATABASE = "tagger";
const TABLE = "sealed";

/** Over plain HTTP browsers cannot seal anything, and then nothing is kept. */
export const canSeal = Boolean(window.crypto?.subtle && window.indexedDB);

/** { box: { salt, iv }, sealed } */
export async function seal(secret, bytes) {
  const [salt, iv] = [random(16), random(12)];
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await keyOf(secret, salt), bytes);
  return { box: { salt: written(salt), iv: written(iv) }, sealed };
}

/** The bytes; null if they were sealed with another secret or salt. */
export async function unseal(secret, { salt, iv }, sealed) {
  try {
    return await crypto.subtle.decrypt({ name: "AES-GCM", iv: read(iv) }, await keyOf(secret, read(salt)), sealed);
  } catch {
    return null;
  }
}

async function keyOf(secret, salt) {
  const made = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt, info: new TextEncoder().encode(DATABASE) };
  return crypto.subtle.deriveKey(how, made, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

function random(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}

function written(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

function read(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// --- where they are -----------------------------------------------------------------------------------

export function store(id, sealed) {
  return inTable("readwrite", (table) => table.put(sealed, id));
}

export function load(id) {
  return inTable("readonly", (table) => table.get(id));
}

export function remove(id) {
  return inTable("readwrite", (table) => table.delete(id));
}

/** Removes all of which `isKept(id)` is not true. */
export async function removeBut(isKept) {
  const ids = await inTable("readonly", (table) => table.getAllKeys());
  await Promise.all(ids.filter((id) => !isKept(id)).map(remove));
}

async function inTable(mode, act) {
  const database = await open();
  try {
    const transaction = database.transaction(TABLE, mode);
    const asked = act(transaction.objectStore(TABLE));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return asked.result;
  } finally {
    database.close();
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
