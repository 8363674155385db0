// Keeps two tabs from showing the same clip: each tab claims its clips until it is closed.

const TIMEOUT_MS = 400; // a page that is being reloaded keeps its claims for a moment

const PREFIX = "tagger:clip:";

const ours = new Set(); // also of a desk that was on this page before

/** Whether this tab got the clip. Without HTTPS there are no locks, and tabs may share clips. */
export function claim(assignment) {
  if (!navigator.locks || ours.has(String(assignment))) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = () => {
      ours.add(String(assignment));
      resolve(true);
      return new Promise(() => {}); // released when the page is closed
    };
    const options = { signal: AbortSignal.timeout(TIMEOUT_MS) };
    navigator.locks.request(PREFIX + assignment, options, hold).catch(() => resolve(false));
  });
}
