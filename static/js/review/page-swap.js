// The main part of another page takes the place of this page's, without a page load, so that sound may go on playing.

import { LoggedOut, Refused, Unreachable, get } from "../desk/sync/api.js";

/** { page, address }: the page that is found at this address, and its own address, after redirects. */
export async function load(address) {
  const response = await get(address);
  return { page: new DOMParser().parseFromString(await response.text(), "text/html"), address: response.url };
}

/** Sends a form as the browser would; the element that matches `expected` on the page that the server answers. */
export async function sendForm(form, address, expected) {
  const response = await fetch(address, { method: "POST", body: new FormData(form) }).catch((error) => {
    throw new Unreachable(error.message);
  });
  if (response.status >= 500) throw new Unreachable(response.statusText, response.status);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.querySelector(`main ${expected}`);
  if (found) return found;
  const refusal = page.querySelector("main .notice.error p")?.textContent;
  throw refusal ? new Refused(refusal, response.status) : new LoggedOut();
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
