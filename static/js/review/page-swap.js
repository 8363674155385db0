// The main part of another page takes the place of this page's, without a page load, so that sound may go on playing.

import { get } from "../desk/sync/api.js";

/** { page, address }: the page that is found at this address, and its own address, after redirects. */
export async function load(address) {
  const response = await get(address);
  return { page: new DOMParser().parseFromString(await response.text(), "text/html"), address: response.url };
}

let nonce; // the page that was loaded allows styles only with its own

export function replaceMain({ page, address }) {
  const main = document.querySelector("main");
  nonce ??= main.querySelector("[data-nonce]")?.dataset.nonce;
  const fresh = document.importNode(page.querySelector("main"), true);
  for (const each of fresh.querySelectorAll("[data-nonce]")) each.dataset.nonce = nonce;
  document.title = page.title;
  history.replaceState(null, "", address);
  main.replaceChildren(...fresh.childNodes);
}
