/** A label with its edge smoothed: its indicator under a Gaussian of some millimetres, cut at one half. */
import { boxOf, eachRow, grown } from './grid.js';

/**
 * Calls `set(index, inside)` for the voxels that come to the label or leave it.
 * @param {import('./grid.js').Grid} grid @param {Uint8Array} labels @param {number} value @param {number} sigma millimetres
 * @param {(index: number, inside: boolean) => void} set
 */
export function smoothed(grid, labels, value, sigma, set) {
  const tight = boxOf(grid, labels, value);
  if (!tight) return;
  const kernels = grid.spacing.map((mm) => gaussian(sigma / mm));
  const box = grown(
    grid,
    tight,
    kernels.map((kernel) => kernel.length >> 1),
  );
  const size = box.end.map((end, i) => end - box.start[i]);
  let soft = new Float32Array(size[0] * size[1] * size[2]);
  let at = 0;
  eachRow(grid, box, (row) => {
    for (let x = 0; x < size[0]; x++) soft[at++] = labels[row + x] === value ? 1 : 0;
  });
  for (const axis of [0, 1, 2]) soft = blurred(soft, size, axis, kernels[axis]);
  at = 0;
  eachRow(grid, box, (row) => {
    for (let x = 0; x < size[0]; x++) {
      const inside = soft[at++] >= 0.5;
      if (inside !== (labels[row + x] === value)) set(row + x, inside);
    }
  });
}

/** @param {number} sigma voxels */
function gaussian(sigma) {
  const half = Math.max(1, Math.ceil(2.5 * sigma));
  const weights = Array.from({ length: 2 * half + 1 }, (_, i) => Math.exp(-((i - half) ** 2) / (2 * sigma * sigma)));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

/**
 * Along one axis. At the edge of the volume the last voxel goes on, so that a label that is cut there keeps its cut.
 * @param {Float32Array} values @param {number[]} size @param {number} axis @param {number[]} kernel
 */
function blurred(values, size, axis, kernel) {
  const out = new Float32Array(values.length);
  const stride = [1, size[0], size[0] * size[1]][axis];
  const n = size[axis];
  const half = kernel.length >> 1;
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / stride) % n;
    const first = i - at * stride;
    let sum = 0;
    for (let k = -half; k <= half; k++) sum += kernel[k + half] * values[first + Math.min(n - 1, Math.max(0, at + k)) * stride];
    out[i] = sum;
  }
  return out;
}
