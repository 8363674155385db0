// Calls to this site's own API. A call succeeds or throws one of the errors here, which say what to do next.

const TIMEOUT_SECONDS = 20;
const CLIP_TIMEOUT_SECONDS = 60;

/** No response (then without `status`), or a server error: the same call may succeed later. */
export class Unreachable extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** Too much of this in a short time: the same call succeeds at `until`, a time of this device. */
export class Paused extends Unreachable {
  constructor(message, seconds) {
    super(message, 429);
    this.until = Date.now() + seconds * 1000;
  }
}

/** The session has ended: the same call succeeds after the person has logged in again. */
export class LoggedOut extends Error {}

/** Another person has logged in in this browser. */
export class OtherAccount extends LoggedOut {}

/** The server refused, for the reason in `message`. The same call would be refused again. */
export class Refused extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Whether the site itself was not reached: a web server in front of it may say so. */
export function isUnreached(error) {
  return error instanceof Unreachable && (!error.status || [502, 503, 504].includes(error.status));
}

/** Why a call that was not refused has to wait: "paused", "other-account", "logged-out" or "unreachable". */
export function whyWaiting(error) {
  if (error instanceof Paused) return "paused";
  if (error instanceof OtherAccount) return "other-account";
  return error instanceof LoggedOut ? "logged-out" : "unreachable";
}

export async function get(path) {
  return call(path, CLIP_TIMEOUT_SECONDS);
}

/** The browser finishes a `keepalive` call even if the page is closed before. */
export async function post(path, body = {}, { keepalive = false } = {}) {
  return write("POST", path, body, keepalive);
}

export async function patch(path, body, { keepalive = false } = {}) {
  return write("PATCH", path, body, keepalive);
}

async function write(method, path, body, keepalive) {
  return call(path, TIMEOUT_SECONDS, () => ({
    method,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
    keepalive,
  }));
}

/** `options` is called after the account was checked, because the options have the session's token. */
async function call(path, timeout, options = () => ({})) {
  await checkAccount();
  const response = await reach(path, { ...options(), signal: AbortSignal.timeout(timeout * 1000) });
  if (response.ok) return response;
  const seconds = Number(response.headers.get("Retry-After"));
  if (response.status === 429 && seconds) throw new Paused((await reason(response)).detail, seconds);
  if (response.status >= 500 || response.status === 429) {
    throw new Unreachable(response.statusText, response.status);
  }
  const { detail, code } = await reason(response);
  if (response.status === 401 || (response.status === 403 && detail.startsWith("CSRF"))) throw new LoggedOut(detail);
  throw new Refused(detail, response.status, code);
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
    const body = await response.json();
    return { detail: body.detail ?? Object.values(body).flat().join(" "), code: body.code };
  } catch {
    return { detail: `${response.status} ${response.statusText}` };
  }
}

/** From the cookie if there is one: after a new login in another tab, the token in the form is outdated. */
export function csrfToken() {
  return cookieToken() ?? document.querySelector("[name=csrfmiddlewaretoken]").value;
}

/** Over HTTPS its name has a prefix; a cookie without it may be an old one. */
function cookieToken() {
  const cookies = new Map(document.cookie.split("; ").map((entry) => entry.split("=", 2)));
  return cookies.get("__Host-csrftoken") ?? cookies.get("csrftoken");
}

// --- which account is logged in ----------------------------------------------------------------------

let expected = null;

/** What this browser has only while the log-in lasts for which calls are made: each log-in gives a new one. */
export function loginSecret() {
  const token = cookieToken();
  return !expected || expected.token === token ? token : null;
}

/** From now on, calls are made only while this account is logged in. `page` names the account in its data-account. */
export function restrictTo(account, page) {
  expected = { account, page, token: cookieToken() };
}

/**
 * Throws unless the account is logged in that calls are restricted to. Every login gives a new token, so it is checked
 * only when the token has changed.
 */
export async function checkAccount() {
  const token = cookieToken(); // read before the request, because another login may happen during it
  if (!expected || expected.token === token) return;
  // Do not follow the redirect to the login page: its new token would break a login form open in another tab.
  const signal = AbortSignal.timeout(TIMEOUT_SECONDS * 1000);
  const response = await reach(expected.page, { redirect: "manual", signal });
  if (response.type === "opaqueredirect") throw new LoggedOut();
  if (response.status >= 500 || response.status === 429) {
    throw new Unreachable(response.statusText, response.status);
  }
  const account = /data-account="([^"]*)"/.exec(await response.text())?.[1] ?? expected.account;
  if (account !== expected.account || response.status === 403) throw new OtherAccount();
  if (cookieToken() !== token) throw new Unreachable("another login just happened"); // it is checked again soon
  expected.token = token;
}
