// The main part of another page takes the place of this page's, without a page load, so that sound may go on playing.

import { LoggedOut, Unreachable, get } from "../desk/sync/api.js";

/** { page, address }: the page that is found at this address, and its own address, after redirects. */
export async function load(address) {
  const response = await get(address);
  return { page: new DOMParser().parseFromString(await response.text(), "text/html"), address: response.url };
}

/** Sends a form as the browser would, and shows nothing of what the server answers. */
export async function sendForm(form) {
  const response = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch((error) => {
    throw new Unreachable(error.message);
  });
  if (response.status >= 500) throw new Unreachable(response.statusText, response.status);
  if (!response.ok || new URL(response.url).pathname !== "/review/") throw new LoggedOut();
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
