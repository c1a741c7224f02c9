/** Labels of one file laid on the voxels of another: where both headers put them in the patient. Knows no page. */
/** @import { Grid } from '../edit/grid.js' */
/** @import { LabelClass } from '../edit/table.js' */
import { determinant, indexOf, inside, placeOf, worldOf } from '../edit/grid.js';

/**
 * Labels in the order of their file, x fastest; `affine` takes voxels to mm, RAS+.
 * @typedef {{ dims: number[], affine: number[][], values: ArrayLike<number>, classes: LabelClass[] }} LabelMap
 */

/** By so much of a voxel two lattices may differ by rounding. */
const ROUNDING = 0.05;

/** How far the voxels of a mask lie off those of an image, at the worst corner, in voxels; 0 where each lies on one. */
export class OffLattice extends Error {
  /** @param {number} voxels */
  constructor(voxels) {
    super(`lattice: ${voxels}`);
    this.voxels = voxels;
  }
}

/**
 * The labels on the grid of an image, in its order, 0 where the map has none; and how many labelled voxels lie outside.
 * @param {Grid} grid @param {LabelMap} map
 * @throws {OffLattice} where the voxels of one lie between those of the other, or are of other sizes
 */
export function ontoGrid(grid, { dims, affine, values }) {
  const toGrid = latticeMap(grid, dims, affine);
  const labels = new Uint8Array(grid.count);
  let outside = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    const place = toGrid(placeOf({ dims }, i));
    if (inside(grid, place)) labels[indexOf(grid, place)] = values[i];
    else outside++;
  }
  return { labels, outside };
}

/** The way from voxels of a map to those of the grid, which is exact. @param {Grid} grid @param {number[]} dims @param {number[][]} affine */
function latticeMap(grid, dims, affine) {
  const toGrid = (/** @type {number[]} */ place) => voxelOf(grid.affine, worldOf({ affine }, place));
  const origin = toGrid([0, 0, 0]).map(Math.round);
  const axes = [0, 1, 2].map((axis) => {
    const far = toGrid([0, 1, 2].map((other) => (other === axis ? 1 : 0)));
    return far.map((at, i) => Math.round(at - toGrid([0, 0, 0])[i]));
  });
  const exact = (/** @type {number[]} */ place) => origin.map((at, i) => at + axes.reduce((sum, axis, k) => sum + axis[i] * place[k], 0));
  let worst = 0;
  for (let corner = 0; corner < 8; corner++) {
    const place = dims.map((n, axis) => ((corner >> axis) & 1 ? n - 1 : 0));
    const [true_, rounded] = [toGrid(place), exact(place)];
    worst = Math.max(worst, ...true_.map((at, i) => Math.abs(at - rounded[i])));
  }
  // A step that is no step to a neighbour would leave voxels out.
  const isOneToOne = axes.every((axis) => axis.reduce((sum, at) => sum + Math.abs(at), 0) === 1);
  if (!(worst <= ROUNDING) || !isOneToOne) throw new OffLattice(isOneToOne ? worst : Math.max(worst, 1));
  return exact;
}

/** The voxel of a place in mm, by Cramer's rule. @param {number[][]} affine @param {number[]} world */
function voxelOf(affine, world) {
  const by = determinant(affine);
  const right = world.map((mm, row) => mm - affine[row][3]);
  return [0, 1, 2].map(
    (axis) => determinant(affine.slice(0, 3).map((row, r) => row.map((value, c) => (c === axis ? right[r] : value)))) / by,
  );
}
