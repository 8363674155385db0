// Sends pieces of files, several in one call.

import { LoggedOut, Refused, Unreachable, checkAccount, csrfToken } from "../desk/sync/api.js";

const SECONDS = 300; // 4 MB over a slow line

/** `parts`: { file, offset, body } each. Rejects with one of the errors of api.js. */
export async function sendParts(path, parts) {
  await checkAccount();
  const form = new FormData();
  form.set("parts", JSON.stringify(parts.map(({ file, offset }) => ({ file, offset }))));
  for (const { body } of parts) form.append("bytes", body, "part");
  const response = await posted(path, form);
  if (response.ok) return;
  if (response.status >= 500 || response.status === 429) throw new Unreachable(response.statusText, response.status);
  const refusal = await response.json().catch(() => null);
  const detail = refusal?.detail ?? `${response.status} ${response.statusText}`;
  if (response.status === 401 || (response.status === 403 && detail.startsWith("CSRF"))) throw new LoggedOut(detail);
  throw new Refused(detail, response.status, refusal?.code);
}

async function posted(path, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  try {
    return await fetch(path, { method: "POST", headers, body, signal: AbortSignal.timeout(SECONDS * 1000) });
  } catch (error) {
    throw new Unreachable(error.message);
  }
}
