// Logging out removes all work from the device; the page first says how many answers were not sent yet.

import { removeAllWork, unsentHere } from "../desk/sync/device-store.js";

const notice = document.querySelector("[data-unsent]");
const number = unsentHere();
if (number) {
  notice.hidden = false;
  notice.textContent = notice.dataset[number === 1 ? "unsent" : "unsentMany"].replace("%", number);
}
// Without a network the logout fails, so unsent answers are kept.
notice.closest("form").addEventListener("submit", () => navigator.onLine && removeAllWork());
