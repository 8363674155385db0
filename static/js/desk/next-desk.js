// The desk of another campaign takes the place of this one, without a page load, so that sound may go on playing.

import { get } from "./sync/api.js";
import { serve } from "./sync/page-as-served.js";

export async function load(address) {
  const response = await get(address);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/**
 * Shows the desk that a loaded page has. False if it has none, as the log-in page. What was answered here and not sent
 * yet is on the device, and the new desk sends it. `inherited`: what the page cannot know, see DeskNavigation.
 */
export async function takeOver(page, inherited) {
  if (!page.querySelector("main clip-desk")) return false;
  serve(page); // what is kept for a time without a network is of this campaign from now on
  const main = document.querySelector("main");
  const fresh = document.importNode(page.querySelector("main"), true);
  const { nonce } = main.querySelector("[data-nonce]").dataset; // this page allows styles only with its own
  for (const each of fresh.querySelectorAll("[data-nonce]")) each.dataset.nonce = nonce;
  Object.assign(fresh.querySelector("clip-desk"), { inherited });
  document.title = page.title;
  main.replaceChildren(...fresh.childNodes);
  await null; // the new desk starts once all in it is on the page
  const desk = main.querySelector("clip-desk");
  (desk.box ?? desk.player?.button ?? main).focus();
  desk.done = main.querySelector("h1").textContent; // announced together with the first clip
  return true;
}

/** Where nothing is left, the server may know another campaign: shows what its page says. */
export async function offerAnother(empty, address) {
  const page = await load(address).catch(() => null);
  const desk = page?.querySelector("clip-desk");
  if (desk && !desk.querySelector("[data-part=clip]")) {
    empty.replaceChildren(...document.importNode(desk.querySelector(".empty"), true).childNodes);
  }
}
