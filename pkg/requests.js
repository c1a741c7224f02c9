/**
 * How many network requests were made since the page was loaded: a figure for "no byte leaves the machine". "Loaded"
 * is when the first segmenter was ready. Counted are the requests of the page, all of its own among them, and those of
 * this package's workers, as the browser's own record of resources has them.
 */
let loadedAt = Infinity;
/** The addresses of those that count. @type {string[]} */
const counted = [];
/** @type {{ flush(): void } | undefined} */
let observer;

/** @typedef {{ address: string, time: number }} Request `time`: milliseconds since 1970 */

/**
 * Calls `report` with this thread's requests, those before now too.
 * @param {(requests: Request[]) => void} report
 */
export function observeRequests(report) {
  if (typeof PerformanceObserver === 'undefined') return undefined;
  const collect = (/** @type {PerformanceEntryList} */ entries) => {
    const requests = entries
      .filter(({ name }) => /^(https?|wss?):/.test(name))
      .map(({ name, startTime }) => ({ address: name, time: performance.timeOrigin + startTime }));
    if (requests.length > 0) report(requests);
  };
  const observer = new PerformanceObserver((list) => collect(list.getEntries()));
  observer.observe({ type: 'resource', buffered: true });
  return { flush: () => collect(observer.takeRecords()) };
}

/** Of this thread or of a worker. @param {Request[]} requests */
export function addRequests(requests) {
  counted.push(...requests.filter(({ time }) => time > loadedAt).map(({ address }) => address));
}

/** From now on requests count; the first call is the one that holds. */
export function startCount() {
  if (observer) return;
  loadedAt = performance.timeOrigin + performance.now();
  observer = observeRequests(addRequests);
}

/** Requests since the first segmenter was ready; 0 before. @type {typeof import('./index.js').requestsSinceLoad} */
export function requestsSinceLoad({ except = [] } = {}) {
  observer?.flush();
  const apart = new Set(except);
  return counted.filter((address) => !apart.has(address)).length;
}
