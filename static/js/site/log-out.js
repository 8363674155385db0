// Logging out leaves nothing of an account's work on the device; the page says first what was not sent yet.

import { forgetAllWork, unsentHere } from "../desk/sync/device-store.js";

const notice = document.querySelector("[data-unsent]");
const number = unsentHere();
if (number) {
  notice.hidden = false;
  notice.textContent = notice.dataset[number === 1 ? "unsent" : "unsentMany"].replace("%", number);
}
// Without a network nobody is logged out, and what waits goes on waiting.
notice.closest("form").addEventListener("submit", () => navigator.onLine && forgetAllWork());
