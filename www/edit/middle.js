/** Where some labels are: the box around them, and the voxel in their middle. */
/** @import { Box, Grid } from './grid.js' */
import { around, boxOf, eachRow } from './grid.js';

/** The box around all voxels of some values; null where there are none. @param {Pick<Grid, 'dims'>} grid @param {Uint8Array} labels @param {readonly number[]} values */
export function boxOfAll(grid, labels, values) {
  /** @type {Box | null} */
  let box = null;
  for (const value of values) {
    const own = boxOf(grid, labels, value);
    if (own) box = around(box, own);
  }
  return box;
}

/** The voxel of some values that lies nearest to their centre of mass; null where there are none. @param {Grid} grid @param {Uint8Array} labels @param {readonly number[]} values */
export function middleOf(grid, labels, values) {
  const box = boxOfAll(grid, labels, values);
  if (!box) return null;
  const isOne = new Uint8Array(256);
  for (const value of values) isOne[value] = 1;
  const each = (/** @type {(x: number, y: number, z: number) => void} */ visit) =>
    eachRow(grid, box, (first, y, z) => {
      for (let x = box.start[0]; x < box.end[0]; x++) if (isOne[labels[first + x - box.start[0]]]) visit(x, y, z);
    });
  const sum = [0, 0, 0, 0];
  each((x, y, z) => [x, y, z, 1].forEach((value, i) => (sum[i] += value)));
  const [cx, cy, cz] = sum.slice(0, 3).map((value) => value / sum[3]);
  const [a, b, c] = grid.spacing;
  let [nearest, least] = [[0, 0, 0], Infinity];
  each((x, y, z) => {
    const far = (a * (x - cx)) ** 2 + (b * (y - cy)) ** 2 + (c * (z - cz)) ** 2;
    if (far < least) [nearest, least] = [[x, y, z], far];
  });
  return nearest;
}
