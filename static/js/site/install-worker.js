// Lets the desk open without a network. Only where file names carry a hash: on a developer's site a kept file would
// hide its changes.

const IS_HASHED = /\.[0-9a-f]{12}\.js$/.test(import.meta.url);

/** After the page itself is loaded. Without HTTPS there are no service workers, and everything else works. */
export function installWorker() {
  if (!IS_HASHED || !navigator.serviceWorker) return;
  const install = () => navigator.serviceWorker.register("/worker.js").catch((error) => console.info(error.message));
  if (document.readyState === "complete") install();
  else window.addEventListener("load", install, { once: true });
}
