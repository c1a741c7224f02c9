/**
 * How many network requests were made since the page was loaded: a figure for "no byte leaves the machine". "Loaded"
 * is when the first segmenter was ready. Counted are the requests of the page, all of its own among them, and those of
 * this package's workers, as the browser's own record of resources has them.
 */
let loadedAt = Infinity;
let count = 0;
/** @type {{ flush(): void } | undefined} */
let observer;

/**
 * Calls `report` with the times of this thread's requests, milliseconds since 1970, those before now too.
 * @param {(times: number[]) => void} report
 */
export function observeRequests(report) {
  if (typeof PerformanceObserver === 'undefined') return undefined;
  const collect = (/** @type {PerformanceEntryList} */ entries) => {
    const times = entries.filter(({ name }) => /^(https?|wss?):/.test(name)).map(({ startTime }) => performance.timeOrigin + startTime);
    if (times.length > 0) report(times);
  };
  const observer = new PerformanceObserver((list) => collect(list.getEntries()));
  observer.observe({ type: 'resource', buffered: true });
  return { flush: () => collect(observer.takeRecords()) };
}

/** Requests at these times, of this thread or of a worker. @param {number[]} times */
export function addRequests(times) {
  count += times.filter((time) => time > loadedAt).length;
}

/** From now on requests count; the first call is the one that holds. */
export function startCount() {
  if (observer) return;
  loadedAt = performance.timeOrigin + performance.now();
  observer = observeRequests(addRequests);
}

/** Requests since the first segmenter was ready; 0 before. @type {typeof import('./index.js').requestsSinceLoad} */
export function requestsSinceLoad() {
  observer?.flush();
  return count;
}
