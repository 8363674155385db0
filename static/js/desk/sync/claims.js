// Two tabs of one person never show the same clip: each claims what it shows, until it is closed.

const MILLISECONDS = 400; // a page that is being reloaded still holds its claims for a moment

const PREFIX = "tagger:clip:";

/** Whether this tab has the clip for itself. Pages without a secure address have no locks, and share. */
export function claim(assignment) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = () => {
      resolve(true);
      return new Promise(() => {}); // let go when the page ends
    };
    const options = { signal: AbortSignal.timeout(MILLISECONDS) };
    navigator.locks.request(PREFIX + assignment, options, hold).catch(() => resolve(false));
  });
}
