// Calls to this site's own API. A call ends well, or in one of three errors that say what to do next.

const SECONDS_FOR_AN_ANSWER = 20;
const SECONDS_FOR_A_CLIP = 60;

/** No answer, or the server is in trouble: the same call may work later. */
export class Unreachable extends Error {}

/** The session has ended: the same call works once the person has logged in again. */
export class LoggedOut extends Error {}

/** The server understood and said no; `message` is its reason. Asking again changes nothing. */
export class Refused extends Error {}

export async function get(path) {
  return call(path, SECONDS_FOR_A_CLIP);
}

/** `lasting` calls are finished by the browser even when the page is left meanwhile. */
export async function post(path, body = {}, { lasting = false } = {}) {
  return call(path, SECONDS_FOR_AN_ANSWER, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
    keepalive: lasting,
  });
}

async function call(path, seconds, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(seconds * 1000) });
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (response.ok) return response;
  if (response.status >= 500 || response.status === 429) throw new Unreachable(response.statusText);
  const detail = await reason(response);
  if (response.status === 401 || (response.status === 403 && detail.startsWith("CSRF"))) throw new LoggedOut(detail);
  throw new Refused(detail);
}

async function reason(response) {
  try {
    const said = await response.json();
    return said.detail ?? Object.values(said).flat().join(" ");
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

/** The cookie first: logging in again in another tab gives a new token, and the form's is then too old. */
export function csrfToken() {
  const cookie = document.cookie.split("; ").find((entry) => entry.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]").value;
}
