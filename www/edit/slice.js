/** One slice of a label volume. */
/** @import { Grid, Labels } from './grid.js' */

/**
 * A number for what a slice shows: the same for the same labels.
 * @param {Grid} grid @param {Labels} labels @param {number} plane the axis across the slice @param {number} at
 */
export function hashOfSlice({ dims: [nx, ny, nz] }, labels, plane, at) {
  const [sizes, steps] = [
    [nx, ny, nz],
    [1, nx, nx * ny],
  ];
  const [u, v] = [0, 1, 2].filter((axis) => axis !== plane);
  let hash = 0x811c9dc5;
  for (let j = 0; j < sizes[v]; j++) {
    let index = at * steps[plane] + j * steps[v];
    for (let i = 0; i < sizes[u]; i++, index += steps[u]) hash = Math.imul(hash ^ labels[index], 0x01000193);
  }
  return hash >>> 0;
}
