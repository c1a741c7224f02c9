/** Two masks of one image, voxel by voxel: what only one of them has. */
/** @import { Box, Grid } from './grid.js' */
import { eachRow } from './grid.js';

/** What a voxel is: the background of both; of one mask only; of both, with the same label or another. */
export const SIDES = { none: 0, before: 1, after: 2, other: 3, both: 4 };

/** @param {number} a label before @param {number} b label after */
const sideOf = (a, b) => (a === b ? (a === 0 ? SIDES.none : SIDES.both) : a === 0 ? SIDES.after : b === 0 ? SIDES.before : SIDES.other);

/**
 * Brings `into` up to date within a box, and its counts with it.
 * @param {Grid} grid @param {{ before: Uint8Array, after: Uint8Array, into: Uint8Array, counts: Float64Array }} masks of one grid; `counts`: voxels of each of SIDES
 * @param {Box} box
 */
export function compareIn(grid, { before, after, into, counts }, box) {
  const width = box.end[0] - box.start[0];
  eachRow(grid, box, (first) => {
    for (let i = first; i < first + width; i++) {
      const side = sideOf(before[i], after[i]);
      counts[into[i]]--;
      counts[side]++;
      into[i] = side;
    }
  });
}
