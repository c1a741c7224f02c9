/**
 * Where voxels lie. Axes [x, y, z], x fastest; `affine` has four rows and takes (x, y, z, 1) to millimetres, RAS+.
 * Distances go by the metric of the affine, so that a ball is round on anisotropic, oblique and sheared grids.
 * `start` and `step` say where the voxel lies in the order of its file: start + x step[0] + y step[1] + z step[2].
 *
 * @typedef {{ dims: number[], affine: number[][], metric: number[][], reach: number[], spacing: number[], count: number, start: number, step: number[] }} Grid
 */

/** @typedef {{ start: number[], end: number[] }} Box in voxels; `end` is exclusive */
/** @typedef {Uint8Array<ArrayBuffer>} Labels one per voxel */

/** @param {{ dims: number[], affine: number[][], start?: number, step?: number[] }} where @returns {Grid} */
export function gridOf({ dims, affine, start = 0, step = [1, dims[0], dims[0] * dims[1]] }) {
  const metric = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => affine[0][i] * affine[0][j] + affine[1][i] * affine[1][j] + affine[2][i] * affine[2][j]),
  );
  return {
    dims,
    affine,
    metric,
    // Half the side of the box, in voxels, around a ball of 1 mm.
    reach: diagonalOfInverse(metric).map(Math.sqrt),
    spacing: [0, 1, 2].map((i) => Math.sqrt(metric[i][i])),
    count: dims[0] * dims[1] * dims[2],
    start,
    step,
  };
}

/** @param {number[][]} matrix of three rows, symmetric */
function diagonalOfInverse([[a, b, c], [, d, e], [, , f]]) {
  const determinant = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d);
  return [d * f - e * e, a * f - c * c, a * d - b * b].map((minor) => minor / determinant);
}

/** The volume of a voxel, negative where the axes are left-handed. @param {number[][]} affine */
export const determinant = ([[a, b, c], [d, e, f], [g, h, i]]) => a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);

/** @param {Pick<Grid, 'affine'>} grid */
export const millilitersPerVoxel = ({ affine }) => Math.abs(determinant(affine)) / 1000;

/** @param {Pick<Grid, 'dims'>} grid @param {number[]} place */
export const indexOf = ({ dims }, [x, y, z]) => x + dims[0] * (y + dims[1] * z);

/** @param {Pick<Grid, 'dims'>} grid @param {number} index */
export const placeOf = ({ dims }, index) => [
  index % dims[0],
  Math.floor(index / dims[0]) % dims[1],
  Math.floor(index / (dims[0] * dims[1])),
];

/** @param {Pick<Grid, 'dims'>} grid @param {number[]} place */
export const inside = ({ dims }, place) => place.every((at, axis) => at >= 0 && at < dims[axis]);

/** Millimetres of a voxel's centre, or of any place between. @param {Pick<Grid, 'affine'>} grid @param {number[]} place */
export const worldOf = ({ affine }, [x, y, z]) => affine.slice(0, 3).map(([a, b, c, d]) => a * x + b * y + c * z + d);

/** Labels in the order of the grid -> in the order of its file. @param {Grid} grid @param {Uint8Array} values */
export function toFile({ dims: [nx, ny, nz], start, step }, values) {
  const out = new Uint8Array(values.length);
  let from = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      let to = start + y * step[1] + z * step[2];
      for (let x = 0; x < nx; x++, to += step[0]) out[to] = values[from++];
    }
  }
  return out;
}

/** Labels in the order of the file -> in the order of the grid. @param {Grid} grid @param {Uint8Array} values */
export function fromFile({ dims: [nx, ny, nz], start, step }, values) {
  const out = new Uint8Array(values.length);
  let to = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      let from = start + y * step[1] + z * step[2];
      for (let x = 0; x < nx; x++, from += step[0]) out[to++] = values[from];
    }
  }
  return out;
}

/** All voxels. @param {Pick<Grid, 'dims'>} grid @returns {Box} */
export const wholeBox = ({ dims }) => ({ start: [0, 0, 0], end: [...dims] });

/** @param {Box} box @param {number[]} place */
export const inBox = ({ start, end }, place) => place.every((at, axis) => at >= start[axis] && at < end[axis]);

/** The smallest box around both; the first may be null. @param {Box | null} a @param {Box} b @returns {Box} */
export function around(a, b) {
  if (!a) return b;
  return { start: a.start.map((at, i) => Math.min(at, b.start[i])), end: a.end.map((at, i) => Math.max(at, b.end[i])) };
}

/** @param {Pick<Grid, 'dims'>} grid @param {Box} box @param {number[]} margin */
export const grown = ({ dims }, { start, end }, margin) => ({
  start: start.map((at, i) => Math.max(0, at - margin[i])),
  end: end.map((at, i) => Math.min(dims[i], at + margin[i])),
});

/** The box around all voxels of a value; null where there is none. @param {Pick<Grid, 'dims'>} grid @param {Uint8Array} labels @param {number} value */
export function boxOf({ dims: [nx, ny] }, labels, value) {
  /** @type {Box | null} */
  let box = null;
  for (let first = labels.indexOf(value); first >= 0; ) {
    const row = first - (first % nx);
    const last = labels.lastIndexOf(value, row + nx - 1);
    const [y, z] = [(row / nx) % ny, Math.floor(row / (nx * ny))];
    box = around(box, { start: [first - row, y, z], end: [last - row + 1, y + 1, z + 1] });
    first = labels.indexOf(value, row + nx);
  }
  return box;
}

/**
 * Calls `row` for each row of a box, with the index of its first voxel.
 * @param {Pick<Grid, 'dims'>} grid @param {Box} box @param {(first: number, y: number, z: number) => void} row
 */
export function eachRow({ dims: [nx, ny] }, { start, end }, row) {
  for (let z = start[2]; z < end[2]; z++) for (let y = start[1]; y < end[1]; y++) row(start[0] + nx * (y + ny * z), y, z);
}

/** The voxel of the file, [i, j, k], that a place of the grid is. @param {Grid} grid @param {number[]} fileDims @param {number[]} place */
export function filePlaceOf({ start, step }, fileDims, [x, y, z]) {
  return placeOf({ dims: fileDims }, start + x * step[0] + y * step[1] + z * step[2]);
}

/** A box of the grid in voxels of the file. @param {Grid} grid @param {number[]} fileDims @param {Box} box @returns {Box} */
export function boxToFile(grid, fileDims, { start, end }) {
  const [a, b] = [start, end.map((at) => at - 1)].map((place) => filePlaceOf(grid, fileDims, place));
  return { start: a.map((at, i) => Math.min(at, b[i])), end: a.map((at, i) => Math.max(at, b[i]) + 1) };
}

/** A box of the file in voxels of the grid. @param {Grid} grid @param {number[]} fileDims @param {Box} box @returns {Box} */
export function boxFromFile({ step, dims }, [nx, ny], { start, end }) {
  const fileStrides = [1, nx, nx * ny];
  const box = { start: [0, 0, 0], end: [0, 0, 0] };
  step.forEach((stride, axis) => {
    const fileAxis = fileStrides.lastIndexOf(Math.abs(stride));
    const [a, b] = [start[fileAxis], end[fileAxis]];
    [box.start[axis], box.end[axis]] = stride > 0 ? [a, b] : [dims[axis] - b, dims[axis] - a];
  });
  return box;
}
