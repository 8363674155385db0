// Calls to this site's own API. A call ends well, or in one of the errors here, which say what to do next.

const SECONDS_FOR_AN_ANSWER = 20;
const SECONDS_FOR_A_CLIP = 60;

/** No answer (then without `status`), or the server is in trouble: the same call may work later. */
export class Unreachable extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** The session has ended: the same call works once the person has logged in again. */
export class LoggedOut extends Error {}

/** Somebody else has logged in in this browser. */
export class OtherAccount extends LoggedOut {}

/** The server understood and said no; `message` is its reason. Asking again changes nothing. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** What an error that is no refusal waits for: "other-account", "logged-out" or "unreachable". */
export function whyWaiting(error) {
  if (error instanceof OtherAccount) return "other-account";
  return error instanceof LoggedOut ? "logged-out" : "unreachable";
}

export async function get(path) {
  return call(path, SECONDS_FOR_A_CLIP);
}

/** `lasting` calls are finished by the browser even when the page is left meanwhile. */
export async function post(path, body = {}, { lasting = false } = {}) {
  return write("POST", path, body, lasting);
}

export async function patch(path, body, { lasting = false } = {}) {
  return write("PATCH", path, body, lasting);
}

async function write(method, path, body, lasting) {
  return call(path, SECONDS_FOR_AN_ANSWER, () => ({
    method,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
    keepalive: lasting,
  }));
}

/** `options` are made once the session is known to be ours, as they hold its token. */
async function call(path, seconds, options = () => ({})) {
  await stillOurs();
  const response = await reach(path, { ...options(), signal: AbortSignal.timeout(seconds * 1000) });
  if (response.ok) return response;
  if (response.status >= 500 || response.status === 429) {
    throw new Unreachable(response.statusText, response.status);
  }
  const detail = await reason(response);
  if (response.status === 401 || (response.status === 403 && detail.startsWith("CSRF"))) throw new LoggedOut(detail);
  throw new Refused(detail, response.status);
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw new Unreachable(error.message);
  }
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
  return cookieToken() ?? document.querySelector("[name=csrfmiddlewaretoken]").value;
}

function cookieToken() {
  return document.cookie.split("; ").find((entry) => entry.startsWith("csrftoken="))?.slice("csrftoken=".length);
}

// --- whose session it is ----------------------------------------------------------------------

let ours = null;

/** From now on every call is made for this account alone; `page` is one that says in data-account whose it is. */
export function onlyFor(account, page) {
  ours = { account, page, token: cookieToken() };
}

/** Logging in gives a new token: only then somebody else can be there, and only then it is asked. */
async function stillOurs() {
  const token = cookieToken(); // before the question: somebody else may log in while it is under way
  if (!ours || ours.token === token) return;
  // Not on to the page of logging in: its new token would spoil a form that is open in another tab.
  const signal = AbortSignal.timeout(SECONDS_FOR_AN_ANSWER * 1000);
  const response = await reach(ours.page, { redirect: "manual", signal });
  if (response.type === "opaqueredirect") throw new LoggedOut();
  if (response.status >= 500 || response.status === 429) {
    throw new Unreachable(response.statusText, response.status);
  }
  const drawnFor = /data-account="([^"]*)"/.exec(await response.text())?.[1] ?? ours.account;
  if (drawnFor !== ours.account || response.status === 403) throw new OtherAccount();
  if (cookieToken() !== token) throw new Unreachable("somebody logged in just now"); // asked again soon
  ours.token = token;
}
