/** Connected voxels, by faces, as the engine counts them: a flood in a slice or in the volume, the islands of a label. */
import { boxOf, placeOf } from './grid.js';

/**
 * The indices of the voxels that hang together with `seed` and for which `same(index)` holds.
 * @param {import('./grid.js').Grid} grid @param {number} seed @param {number[]} axes to go along: two for a slice, three for the volume
 * @param {(index: number) => boolean} same @param {Uint8Array} [seen] marked as it goes; one may serve several floods
 */
export function flood(grid, seed, axes, same, seen = new Uint8Array(grid.count)) {
  const { dims } = grid;
  const strides = [1, dims[0], dims[0] * dims[1]];
  /** @type {number[]} */
  const found = [];
  if (!same(seed)) return found;
  seen[seed] = 1;
  found.push(seed);
  const visit = (/** @type {number} */ next) => {
    if (seen[next] === 1 || !same(next)) return;
    seen[next] = 1;
    found.push(next);
  };
  for (let i = 0; i < found.length; i++) {
    const place = placeOf(grid, found[i]);
    for (const axis of axes) {
      if (place[axis] > 0) visit(found[i] - strides[axis]);
      if (place[axis] + 1 < dims[axis]) visit(found[i] + strides[axis]);
    }
  }
  return found;
}

/**
 * The parts of a label, each a list of indices, largest first; of two alike the one that begins earlier.
 * @param {import('./grid.js').Grid} grid @param {Uint8Array} labels @param {number} value
 */
export function islands(grid, labels, value) {
  const box = boxOf(grid, labels, value);
  if (!box) return [];
  const seen = new Uint8Array(grid.count);
  const same = (/** @type {number} */ index) => labels[index] === value;
  const parts = [];
  for (let seed = labels.indexOf(value); seed >= 0; seed = labels.indexOf(value, seed + 1)) {
    if (seen[seed] === 0) parts.push(flood(grid, seed, [0, 1, 2], same, seen));
  }
  return parts.sort((a, b) => b.length - a.length);
}
