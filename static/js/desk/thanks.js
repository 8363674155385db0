// At the pause: what settled because of this person, from the page that says so. Answers are settled a moment after
// they arrive, so it is asked for again. The pause never waits for it, and without a connection it stays as it is.

import { get } from "./sync/api.js";

const AGAIN_MS = [0, 2500, 8000];

/** Fills the pause's part "because" for as long as the pause is shown. */
export function showThanks(desk) {
  const shown = desk.part("because");
  const isPaused = () => !desk.part("pause").hidden;
  for (const wait of AGAIN_MS) setTimeout(() => isPaused() && fill(shown), wait);
}

async function fill(shown) {
  try {
    const page = await (await get(shown.dataset.from)).text();
    const found = new DOMParser().parseFromString(page, "text/html").getElementById("because-of-you");
    if (found) shown.replaceChildren(...found.childNodes);
  } catch {
    // Thanks can wait: no connection, or the session has ended, which the desk itself says.
  }
}
