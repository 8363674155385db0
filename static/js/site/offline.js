// The page for no network: in place of a desk that is kept on this device it opens the desk; otherwise it says what
// waits, and comes back by itself.

import "./older-browsers.js";
import { Backoff } from "../desk/sync/backoff.js";
import { waiting } from "../desk/sync/device-store.js";
import { keptPage, keptPlace } from "../desk/sync/kept-desk.js";
import { sweep } from "../desk/sync/kept.js";

const main = document.getElementById("main");

async function start() {
  await sweep();
  const desk = await keptPage(location.pathname, main.dataset.nonce).catch(console.error);
  if (desk) write(desk);
  else show();
}

/** The address stays, and so does this page's policy of what is loaded. */
function write(html) {
  document.open();
  document.write(html);
  document.close();
}

function show() {
  const { letters } = waiting();
  const unsent = main.querySelector("[data-part=unsent]");
  unsent.textContent = (letters === 1 ? unsent.dataset.letter : unsent.dataset.letters).replace("%", letters);
  unsent.hidden = !letters;
  const place = keptPlace();
  const desk = main.querySelector("[data-part=desk]");
  desk.hidden = !place || place === location.pathname;
  if (!desk.hidden) desk.href = place;
  document.body.hidden = false;
  comeBack();
}

/** Loads the page again once the site answers. */
async function comeBack() {
  if (location.pathname.startsWith("/offline/")) return; // it was opened by its own address
  const backoff = new Backoff();
  for (let failures = 0; ; failures++) {
    await backoff.wait(failures);
    const answer = await fetch("/healthz").catch(() => null);
    if (answer?.ok) return void location.reload();
  }
}

start();
