/** What the image is like where a label is: in the values of the image, as its file scales them. */
/** @import { Grid } from './grid.js' */
/** @import { Values } from './editor.js' */

/** `sd`: of the sample (n - 1), 0 of one voxel; voxels whose value is no number are left out. @typedef {{ count: number, mean: number, sd: number, min: number, max: number }} Statistics */

/**
 * The statistics of every label that has voxels, by its value, in one pass.
 * @param {Grid} grid @param {Uint8Array} labels in the order of the grid @param {Values} values @returns {Map<number, Statistics>}
 */
export function statisticsOf({ dims: [nx, ny, nz], start, step }, labels, { stored, slope, inter }) {
  const [count, mean, squares] = [0, 1, 2].map(() => new Float64Array(256));
  const [low, high] = [new Float64Array(256).fill(Infinity), new Float64Array(256).fill(-Infinity)];
  let index = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      let at = start + y * step[1] + z * step[2];
      for (let x = 0; x < nx; x++, at += step[0]) {
        const label = labels[index++];
        if (label === 0) continue;
        const value = stored[at] * slope + inter;
        if (!Number.isFinite(value)) continue;
        // Welford's: sums of squares of large values would lose what is small between them.
        const off = value - mean[label];
        mean[label] += off / ++count[label];
        squares[label] += off * (value - mean[label]);
        if (value < low[label]) low[label] = value;
        if (value > high[label]) high[label] = value;
      }
    }
  }
  const found = [...count.keys()].filter((label) => count[label] > 0);
  return new Map(
    found.map((label) => {
      const n = count[label];
      const sd = n > 1 ? Math.sqrt(squares[label] / (n - 1)) : 0;
      return [label, { count: n, mean: mean[label], sd, min: low[label], max: high[label] }];
    }),
  );
}
