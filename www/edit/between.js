/**
 * A label between the slices in which it was drawn: between two such slices the signed distances to its edge are mixed
 * by the slices' distance, and the shape is where the mix is negative (Raya and Udupa, IEEE TMI 1990).
 */
/** @import { Box, Grid } from './grid.js' */

import { signedDistance } from './distance.js';
import { boxOf } from './grid.js';

/**
 * Calls `set(index)` for every voxel that the label gets, slice by slice along `axis`.
 * @param {Grid} grid @param {Uint8Array} labels @param {number} value @param {number} axis @param {(index: number) => void} set
 * @returns {number} slices filled
 */
export function between(grid, labels, value, axis, set) {
  const box = boxOf(grid, labels, value);
  if (!box) return 0;
  const [u, v] = [0, 1, 2].filter((other) => other !== axis);
  const plane = planeOf(grid, box, axis, u, v);
  const drawn = [];
  for (let at = box.start[axis]; at < box.end[axis]; at++) if (plane.indices(at).some((index) => labels[index] === value)) drawn.push(at);
  let filled = 0;
  for (let i = 1; i < drawn.length; i++) {
    const [a, b] = [drawn[i - 1], drawn[i]];
    if (b - a < 2) continue;
    const [one, other] = [a, b].map((at) => plane.distance(labels, value, at));
    for (let at = a + 1; at < b; at++, filled++) {
      const share = (at - a) / (b - a);
      plane.indices(at).forEach((index, j) => (1 - share) * one[j] + share * other[j] < 0 && set(index));
    }
  }
  return filled;
}

/**
 * The slices of a box across an axis, as lists of indices with u fastest.
 * @param {Grid} grid @param {Box} box @param {number} axis @param {number} u @param {number} v
 */
function planeOf(grid, box, axis, u, v) {
  const strides = [1, grid.dims[0], grid.dims[0] * grid.dims[1]];
  const [nu, nv] = [u, v].map((i) => box.end[i] - box.start[i]);
  const indices = (/** @type {number} */ at) => {
    const first = at * strides[axis] + box.start[u] * strides[u] + box.start[v] * strides[v];
    return Array.from({ length: nu * nv }, (_, j) => first + (j % nu) * strides[u] + Math.floor(j / nu) * strides[v]);
  };
  const distance = (/** @type {Uint8Array} */ labels, /** @type {number} */ value, /** @type {number} */ at) => {
    const shape = Uint8Array.from(indices(at), (index) => (labels[index] === value ? 1 : 0));
    return signedDistance(shape, nu, nv, [grid.spacing[u], grid.spacing[v]]);
  };
  return { indices, distance };
}
