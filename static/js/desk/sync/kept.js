// What is kept on this device so that the desk opens without a network: the sounds of lent clips, and the desk's page.
// Here is how it ends: with the answer, with the time for which the clip is lent, with the log-in.
//
// An entry lies beside its account's other work (device-store.js) and has the salt of the sealed bytes (sealed.js). It
// is removed at once, whatever happens to the page next; its bytes, which no one can open any more, soon after.

import { entries, removeEntry } from "./device-store.js";
import { canSeal, remove, removeBut } from "./sealed.js";

const KEPT = /^tagger:work:[^:]*:(sound|page):/;
const handedIn = new Set(); // by this page: sounds that may still be on their way into the store

/** The name of a clip's sound within its account's work. */
export function nameOfSound(assignment) {
  return `sound:${assignment}`;
}

export function isHandedIn(assignment) {
  return handedIn.has(String(assignment));
}

/** The clip was answered, skipped or reported, or is not lent any more. */
export function forgetSound(store, assignment) {
  handedIn.add(String(assignment));
  store.remove(nameOfSound(assignment));
  if (canSeal) remove(store.idOf(nameOfSound(assignment))).catch(() => {}); // the next page sweeps
}

/** [[id, entry], …] of all accounts. */
export function allKept() {
  return entries().filter(([id]) => KEPT.test(id));
}

/** The log-in is over, or another one: nothing is kept from now on. */
export function forgetKept() {
  for (const [id] of allKept()) removeEntry(id);
}

/** Removes what may not be kept any more. Every page does it first of all, and again when the next one is due. */
export async function sweep() {
  if (!canSeal) return;
  const now = Date.now();
  for (const [id, entry] of allKept()) if (isOver(entry, now)) removeEntry(id);
  const ids = new Set(allKept().map(([id]) => id));
  await removeBut((id) => ids.has(id)).catch(() => {}); // this browser refuses storage
}

/** Also if the device's clock was put back. */
function isOver(entry, now) {
  return !(entry?.since <= now && now < entry.until);
}
