// Keeps the desk's page and the sounds of lent clips, and opens them again without a network. kept.js says until when.

import { loginSecret } from "./api.js";
import { allKept, forgetKept, forgetSound, isHandedIn, nameOfSound, sweep } from "./kept.js";
import { canSeal, load, seal, store, unseal } from "./sealed.js";

/** One page of the desk, `place`, of one account. Keeps nothing until a service worker can open the page again. */
export class KeptDesk {
  #store;
  #page;
  #campaign;
  #skew;
  #place = location.pathname;

  /** `page`: its HTML as the server sent it. `skew`: how many milliseconds this device's clock is ahead of the server's. */
  constructor(deviceStore, { page, campaign, skew }) {
    this.#store = deviceStore;
    this.#page = page;
    this.#campaign = campaign;
    this.#skew = skew;
  }

  /** `lent`: { id, audio, expires }, as on the page. */
  async keepSound(lent, blob) {
    if (!canSeal || !navigator.serviceWorker?.controller || isHandedIn(lent.id)) return;
    const until = Date.parse(lent.expires) + this.#skew;
    const entry = { until, place: this.#place, campaign: this.#campaign, lent };
    await this.#keep(nameOfSound(lent.id), await blob.arrayBuffer(), entry, () => isHandedIn(lent.id));
    const page = this.#store.get(`page:${this.#place}`); // in the mixed queue it may be another campaign's
    if (page?.campaign !== this.#campaign || page.until < until) await this.#keepPage(until);
  }

  /** Of this page, the server lends only these clips by now. */
  keepOnly(assignments) {
    const lent = new Set(assignments.map(String));
    for (const key of this.#store.keys("sound:")) {
      const { place, lent: { id } } = this.#store.get(key);
      if (place === this.#place && !lent.has(String(id))) forgetSound(this.#store, id);
    }
  }

  /** It was taken back. */
  forget(assignment) {
    forgetSound(this.#store, assignment);
  }

  /** The sound of a lent clip, or null. */
  async sound(assignment) {
    const entry = this.#store.get(nameOfSound(assignment));
    if (!entry || !canSeal) return null;
    const bytes = await opened(this.#store.idOf(nameOfSound(assignment)), entry);
    return bytes && new Blob([bytes], { type: "audio/wav" });
  }

  #keepPage(until) {
    const entry = { until, campaign: this.#campaign, skew: this.#skew };
    return this.#keep(`page:${this.#place}`, new TextEncoder().encode(withoutWords(this.#page)), entry);
  }

  async #keep(name, bytes, entry, isOver = () => false) {
    const secret = loginSecret();
    if (!secret) return;
    const { box, sealed } = await seal(secret, bytes);
    if (isOver() || secret !== loginSecret()) return;
    this.#store.put(name, { ...entry, since: Date.now(), ...box });
    await store(this.#store.idOf(name), sealed);
    setTimeout(sweep, entry.until - Date.now());
    if (isOver()) await sweep();
  }
}

/** Without what people said: the texts of the last answers, and messages. */
function withoutWords(page) {
  const parsed = new DOMParser().parseFromString(page, "text/html");
  for (const part of parsed.querySelectorAll("[data-part=last-given] li, .messages")) part.remove();
  return written(parsed);
}

/** The address of a page of the desk that can be opened now, or null. */
export function keptPlace() {
  const [id] = allKept().map(([each]) => each).filter((each) => each.includes(":page:"));
  return id ? id.slice(id.indexOf(":page:") + ":page:".length) : null;
}

/**
 * The desk's HTML as of now, or null. What another log-in has kept is removed instead. `nonce` is that of the page in
 * whose place it is written.
 */
export async function keptPage(place, nonce) {
  const [id, entry] = allKept().find(([each]) => each.endsWith(`:page:${place}`)) ?? [];
  const bytes = id && (await opened(id, entry));
  if (!bytes) {
    if (id) {
      forgetKept();
      await sweep();
    }
    return null;
  }
  const page = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "text/html");
  if (!(await hasAllFiles(page))) return null;
  page.querySelector("clip-desk").dataset.now = new Date(Date.now() - entry.skew).toISOString();
  page.querySelector("[data-part=lent]").replaceChildren(...lentAt(place, entry.campaign).map((lent) => listed(page, lent)));
  for (const each of page.querySelectorAll("[data-nonce]")) each.dataset.nonce = nonce;
  return written(page);
}

/** In the order in which they were lent. In the mixed queue, clips of two campaigns may be kept for a moment. */
function lentAt(place, campaign) {
  const isHere = (entry) => entry.lent && entry.place === place && entry.campaign === campaign;
  const kept = allKept().map(([, entry]) => entry).filter(isHere);
  return kept.sort((a, b) => a.since - b.since).map(({ lent }) => lent);
}

function listed(page, lent) {
  const item = page.createElement("li");
  Object.assign(item.dataset, lent);
  return item;
}

/** Whether the page is of the release that the service worker has. */
async function hasAllFiles(page) {
  const named = page.querySelectorAll("script[src], link[rel=stylesheet]");
  const found = await Promise.all([...named].map((each) => caches.match(each.getAttribute("src") ?? each.getAttribute("href"))));
  return found.every(Boolean);
}

async function opened(id, entry) {
  const secret = loginSecret();
  const sealed = secret && (await load(id).catch(() => null));
  return sealed ? unseal(secret, entry, sealed) : null;
}

function written(page) {
  return `<!doctype html>\n${page.documentElement.outerHTML}`;
}
