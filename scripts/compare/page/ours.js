/** Our package, as a page would use it: one pass to warm up, one that it times itself. */
import * as insitu from '/pkg/index.js';

export async function prepare({ base, size, backend, threads }) {
  if (!insitu.benchmark) throw new Error('pkg/index.js has no `benchmark`');
  return async () => (await insitu.benchmark({ base, size, backend, threads, runs: 1 })).forwardMs;
}
