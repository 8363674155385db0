// Sends a recording to the server, as the page's own form would.

import { checkAccount, csrfToken, LoggedOut, Refused, Unreachable } from "../desk/sync/api.js";

const SECONDS = 60;

/** { isNew, shared, prompt: { id, text } or null }; rejects with one of the errors of api.js. */
export async function send(form, sound) {
  await checkAccount();
  const body = new FormData(form);
  body.set("audio", sound, "take.wav");
  const response = await posted(form.action, body);
  // A redirect to the login page; `redirect: "manual"` keeps fetch from following it.
  if (response.type === "opaqueredirect") throw new LoggedOut();
  if (response.ok) return { isNew: response.status === 201, ...(await response.json()) };
  if (response.status >= 500 || response.status === 429) throw new Unreachable(response.statusText);
  const refusal = await response.json().catch(() => null);
  // The site's own refusals are JSON. This one is Django's, of a token that a new login replaces.
  if (!refusal && response.status === 403) throw new LoggedOut();
  throw new Refused(refusal?.detail ?? `${response.status} ${response.statusText}`);
}

async function posted(path, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  body.delete("csrfmiddlewaretoken");
  const signal = AbortSignal.timeout(SECONDS * 1000);
  try {
    return await fetch(path, { method: "POST", headers, body, redirect: "manual", signal });
  } catch (error) {
    throw new Unreachable(error.message);
  }
}
