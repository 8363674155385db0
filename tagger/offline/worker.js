// The service worker: it keeps the static files of one release and the page for no network, and nothing else. What is
// lent to someone is kept by the desk's own page (static/js/desk/sync/kept-desk.js); the worker never sees it.
//
// RELEASE, which tagger/offline/views.py writes above, is { version, files, pages: { language: address } }.

const PREFIX = "tagger:release:";
const CACHE = PREFIX + RELEASE.version;
const LANGUAGE = "/offline/language"; // a place in the cache: the language of the last page
const UNREACHED = [502, 503, 504]; // said by a web server in front of a site that has stopped

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(replace()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (pathname.startsWith("/static/")) event.respondWith(file(request, pathname));
});

/** All of the release, or nothing: whatever is missing or belongs to another one ends the installation. */
async function fill() {
  try {
    const cache = await caches.open(CACHE);
    await cache.addAll(RELEASE.files.map((address) => new Request(address, { credentials: "omit" })));
    await Promise.all(Object.values(RELEASE.pages).map((address) => keepPage(cache, address)));
  } catch (error) {
    await caches.delete(CACHE);
    throw error;
  }
}

/** Without cookies: it is the page of no one. */
async function keepPage(cache, address) {
  const response = await fetch(address, { credentials: "omit", cache: "no-store" });
  if (!response.ok || response.headers.get("Tagger-Release") !== RELEASE.version) throw new Error(`${address} is another release's`);
  await cache.put(address, response);
}

/** It begins when no page of an older release is open any more. */
async function replace() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

/** Names carry a hash, so a file of any release is the right one. */
async function file(request, pathname) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200 && pathname.startsWith("/static/fonts/")) {
    const copy = response.clone();
    caches.open(CACHE).then((cache) => cache.put(request, copy));
  }
  return response;
}

/** From the network; without one, the page that says so, or opens the desk. Pages themselves are never kept. */
async function page(event) {
  try {
    const response = (await event.preloadResponse) ?? (await fetch(event.request));
    if (!UNREACHED.includes(response.status)) {
      event.waitUntil(remember(response.headers.get("Content-Language")));
      return response;
    }
    return (await offline(event.request)) ?? response;
  } catch (error) {
    const response = await offline(event.request);
    if (!response) throw error;
    return response;
  }
}

async function remember(language) {
  if (!(language in RELEASE.pages)) return;
  const cache = await caches.open(CACHE);
  const before = await cache.match(LANGUAGE);
  if ((await before?.text()) !== language) await cache.put(LANGUAGE, new Response(language));
}

/** In the language of the last page. Its nonce for styles is new each time, as that of a page from the network. */
async function offline(request) {
  const cache = await caches.open(CACHE);
  const language = await (await cache.match(LANGUAGE))?.text();
  const kept = await cache.match(RELEASE.pages[language] ?? RELEASE.pages.en);
  if (!kept) return null;
  const html = await kept.text();
  const old = /data-nonce="([^"]+)"/.exec(html)[1];
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const headers = new Headers(kept.headers);
  headers.set("Content-Security-Policy", headers.get("Content-Security-Policy").replace(old, nonce));
  headers.set("Cache-Control", "no-store");
  // Hidden while the page looks whether the desk can be opened in its place.
  const isDesk = new URL(request.url).pathname.startsWith("/tag/");
  return new Response(html.replace(old, nonce).replace("<body>", isDesk ? "<body hidden>" : "<body>"), { headers });
}
