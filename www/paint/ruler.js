/** A distance in the patient: two places, in one slice or in two, and the millimetres between them. Knows no page. */
/** @import { Grid } from '../edit/grid.js' */

/** Places in voxels, fractions allowed; `plane`: the axis across the slice in which it was drawn, if it was drawn in one. @typedef {{ from: number[], to: number[], plane?: number }} Ruler */

/** Millimetres, by the metric of the affine: right on anisotropic, oblique and sheared grids. @param {Grid} grid @param {Ruler} ruler */
export function lengthOf({ metric }, { from, to }) {
  const by = to.map((at, i) => at - from[i]);
  return Math.sqrt(
    Math.max(
      0,
      by.reduce((sum, a, i) => sum + by.reduce((part, b, j) => part + a * b * metric[i][j], 0), 0),
    ),
  );
}

/**
 * What of a ruler is seen in the slice across `plane` at `at`: all of it, one of its ends, or nothing.
 * @param {Ruler} ruler @param {number} plane @param {number} at
 */
export function seenIn({ from, to, plane: own }, plane, at) {
  const [a, b] = [from, to].map((end) => Math.round(end[plane]) === at);
  if (own !== undefined && own !== plane) return null;
  return a && b ? 'whole' : a || b ? 'end' : null;
}
