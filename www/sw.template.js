/**
 * Keeps the page for visits without a network: its files, by the names that the build gave them, and nothing of a person's.
 * `FILES` and `VERSION` are put in by the build. A new version takes over when the last tab of the old one is closed, so that
 * no tab is left with half of each.
 */
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));
const CACHE = `insitu-seg ${VERSION}`;

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

worker.addEventListener('activate', (event) => {
  const clean = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith('insitu-seg ') && name !== CACHE).map((name) => caches.delete(name)));
  };
  event.waitUntil(clean());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return;
  event.respondWith(answer(request));
});

/** What was kept; else from the network, and kept from then on where it is one of the build's own that is fetched when needed. @param {Request} request */
async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.mode === 'navigate' ? './' : request, { ignoreSearch: true, ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && LATER.some((file) => new URL(file, worker.location.href).href === request.url))
    await cache.put(request, response.clone());
  return response;
}
