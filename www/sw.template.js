/**
 * Keeps the page for visits without a network: its files, by the names that the build gave them, and nothing of a person's. It answers
 * for these files only; whatever else lies on the same server is the network's. The names in capitals are put in by the build. A new
 * version takes over when the last tab of the old one is closed, so that no tab is left with half of each.
 */
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));
const CACHE = `insitu-seg ${VERSION}`;

/** A module of three splats and an f32x4.relaxed_madd, by which the package too finds out which of its modules this browser takes. */
const RELAXED_MODULE = [
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
];
const canRelax = WebAssembly.validate(new Uint8Array(RELAXED_MODULE));
const FILES = [...ALWAYS, ...(canRelax ? RELAXED : PLAIN)];
const LATER = [...WHEN_NEEDED, ...(canRelax ? PLAIN : RELAXED)];

/** Where a file of the build lies, whatever is asked of it. @param {string} file */
const placeOf = (file) => {
  const { origin, pathname } = new URL(file, worker.location.href);
  return origin + pathname;
};
const ROOT = placeOf('./');
const OWN = new Set(FILES.map(placeOf));
const OWN_LATER = new Set(LATER.map(placeOf));
/** The page itself, by either of its names. */
const PAGE = new Set([ROOT, placeOf('./index.html')]);

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
  const place = placeOf(request.url);
  if (request.method !== 'GET') return;
  if (PAGE.has(place)) event.respondWith(answer(request, ROOT));
  else if (OWN.has(place) || OWN_LATER.has(place)) event.respondWith(answer(request, place));
});

/**
 * What was kept; else from the network, and kept from then on where it is one of the build's own that is fetched when needed.
 * @param {Request} request @param {string} place the file's, without what is asked of it
 */
async function answer(request, place) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(place, { ignoreSearch: true, ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && OWN_LATER.has(place)) await cache.put(place, response.clone());
  return response;
}
