/** Our package, as a page would use it: one pass to warm up, one that it times itself; or a training step. */
import * as insitu from '/pkg/index.js';

export async function prepare({ base, size, train, backend, threads, relaxedSimd }) {
  const measure = () => insitu.benchmark({ base, size, train, backend, threads, relaxedSimd, runs: 1 });
  return async () => {
    const { forwardMs, trainMs } = await measure();
    return train ? trainMs : forwardMs;
  };
}
