/** Grids and numbers for the tests of the editing of labels. */
import { gridOf } from '../../www/edit/grid.js';

/** Numbers from a seed, so that a failure can be had again. */
export function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Oblique and anisotropic: spacing 0.7, 1.1, 3 mm, turned about two axes. */
export function oblique(dims, spacing = [0.7, 1.1, 3]) {
  const [a, b] = [0.3, -0.2];
  const turn = [
    [Math.cos(a), -Math.sin(a) * Math.cos(b), Math.sin(a) * Math.sin(b)],
    [Math.sin(a), Math.cos(a) * Math.cos(b), -Math.cos(a) * Math.sin(b)],
    [0, Math.sin(b), Math.cos(b)],
  ];
  const affine = turn.map((row, i) => [...row.map((value, j) => value * spacing[j]), [10, -20, 5][i]]);
  return gridOf({ dims, affine: [...affine, [0, 0, 0, 1]] });
}

export const plain = (dims) =>
  gridOf({
    dims,
    affine: [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ],
  });
