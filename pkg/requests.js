/**
 * How many network requests were made since the page was loaded: a figure for "no byte leaves the machine". "Loaded"
 * is when the first segmenter was ready. Counted are the requests of the page, all of its own among them, and those of
 * this package's workers, as the browser's own record of resources has them.
 */
let loadedAt = Infinity;
let count = 0;
let observer;

/** Calls `tell` with the times of this thread's requests, milliseconds since 1970, those before now too. */
export function observeRequests(tell) {
  if (typeof PerformanceObserver === 'undefined') return undefined;
  const take = (entries) => {
    const times = entries.filter(({ name }) => /^(https?|wss?):/.test(name)).map(({ startTime }) => performance.timeOrigin + startTime);
    if (times.length > 0) tell(times);
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: 'resource', buffered: true });
  return { flush: () => take(observer.takeRecords()) };
}

/** Requests at these times, of this thread or of a worker. */
export function addRequests(times) {
  count += times.filter((time) => time > loadedAt).length;
}

/** From now on requests count; the first call is the one that holds. */
export function startCount() {
  if (observer) return;
  loadedAt = performance.timeOrigin + performance.now();
  observer = observeRequests(addRequests);
}

/** Requests since the first segmenter was ready; 0 before. */
export function requestsSinceLoad() {
  observer?.flush();
  return count;
}
