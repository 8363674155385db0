// The filter of the queue is remembered on this device: whoever opens the queue without one sees the part from last time.

import { choice, choose } from "../desk/sync/device-store.js";

const CHOICE = "review-filter";
const form = document.querySelector("form.toolbar");

form.addEventListener("submit", () => {
  const chosen = [...new FormData(form)].filter(([, value]) => value);
  choose(CHOICE, new URLSearchParams(chosen).toString());
});
document.querySelector("[data-act=show-all]")?.addEventListener("click", () => choose(CHOICE, ""));

const saved = choice(CHOICE);
if (saved && !location.search) location.replace(`${location.pathname}?${saved}`);
