/** Which slice to check next, where what the engine suggests has all been checked. Knows no page. */
/** @import { Grid } from './edit/grid.js' */
import { fromFile, placeOf } from './edit/grid.js';

/**
 * The slice of any plane in which the model agrees with itself least, of those that are not checked; what lies in a checked one counts
 * nowhere. Null where nothing is left.
 * @param {Grid} grid @param {Uint8Array} map disagreement of every voxel, in the order of the file @param {ReadonlySet<string>} checked 'plane:slice'
 * @returns {[plane: number, slice: number] | null}
 */
export function leastSure(grid, map, checked) {
  const sums = grid.dims.map((n) => new Float64Array(n));
  const isChecked = grid.dims.map((n, plane) => Uint8Array.from({ length: n }, (_, slice) => (checked.has(`${plane}:${slice}`) ? 1 : 0)));
  fromFile(grid, map).forEach((value, i) => {
    if (value === 0) return;
    const place = placeOf(grid, i);
    if (place.every((at, plane) => isChecked[plane][at] === 0)) place.forEach((at, plane) => (sums[plane][at] += value));
  });
  const best = sums.map((all, plane) => ({ plane, sum: Math.max(...all), slice: all.indexOf(Math.max(...all)) }));
  const [{ plane, slice, sum }] = best.toSorted((a, b) => b.sum - a.sum);
  return sum > 0 ? [plane, slice] : null;
}
