/** Values in, values out, and the time between: the work is the same for every contestant, the numbers need not be. */

/** Numbers around 0 with this standard deviation. */
export const noise = (count, sd = 1) => Float32Array.from({ length: count }, () => (Math.random() - 0.5) * Math.sqrt(12) * sd);

export const product = (shape) => shape.reduce((all, n) => all * n, 1);

/** A GPU that fails may give zeros and call it success: two maps of probabilities, not all the same, are none of that. */
function checkMaps(values, size) {
  const expected = 2 * product(size);
  if (values.length !== expected) throw new Error(`expected ${expected} probabilities, found ${values.length}`);
  if (!values.every((value) => value >= 0 && value <= 1)) throw new Error('expected probabilities, found other values');
  if (values.every((value) => value === values[0])) throw new Error(`expected two maps, found ${values[0]} everywhere`);
}

/** A pass shorter than this is timed after one that is not, as ours is: the rest between turns has cooled the caches. */
const SHORT_MS = 2000;

/** A turn, of a pass that gives its output in memory: () -> the pass's milliseconds. */
export function timed(pass, size) {
  let last = 0;
  return async () => {
    if (last < SHORT_MS) await pass();
    const start = performance.now();
    const values = await pass();
    last = performance.now() - start;
    checkMaps(values, size);
    return last;
  };
}
