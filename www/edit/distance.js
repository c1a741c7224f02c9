/** Signed distances to the edge of a shape in a plane, exact: Felzenszwalb and Huttenlocher's lower envelopes. */

const FAR = 1e20;

/**
 * @param {Uint8Array} inside 1 within the shape, u fastest @param {number} nu @param {number} nv @param {number[]} spacing of u and v, millimetres
 * @returns {Float32Array} millimetres between centres of voxels, less half a voxel; negative inside
 */
export function signedDistance(inside, nu, nv, spacing) {
  const outer = squared(inside, 1, nu, nv, spacing);
  const inner = squared(inside, 0, nu, nv, spacing);
  const half = Math.min(...spacing) / 2;
  return outer.map((square, i) => (square > 0 ? Math.sqrt(square) - half : half - Math.sqrt(inner[i])));
}

/**
 * Squared distance of every place to the nearest that holds `value`.
 * @param {Uint8Array} field @param {number} value @param {number} nu @param {number} nv @param {number[]} spacing
 */
function squared(field, value, nu, nv, [du, dv]) {
  const out = Float32Array.from(field, (found) => (found === value ? 0 : FAR));
  const longest = Math.max(nu, nv);
  const work = { f: new Float64Array(longest), v: new Int32Array(longest), z: new Float64Array(longest + 1) };
  for (let v = 0; v < nv; v++) line(out, v * nu, 1, nu, du, work);
  for (let u = 0; u < nu; u++) line(out, u, nu, nv, dv, work);
  return out;
}

/**
 * The lower envelope of the parabolas that stand on one line.
 * @param {Float32Array} out @param {number} first @param {number} stride @param {number} n @param {number} spacing
 * @param {{ f: Float64Array, v: Int32Array, z: Float64Array }} work
 */
function line(out, first, stride, n, spacing, { f, v, z }) {
  for (let i = 0; i < n; i++) f[i] = out[first + i * stride];
  const square = spacing * spacing;
  const meet = (/** @type {number} */ p, /** @type {number} */ q) =>
    (f[q] + square * q * q - f[p] - square * p * p) / (2 * square * (q - p));
  let k = 0;
  [v[0], z[0], z[1]] = [0, -Infinity, Infinity];
  for (let q = 1; q < n; q++) {
    let s = meet(v[k], q);
    while (s <= z[k]) s = meet(v[--k], q);
    k += 1;
    [v[k], z[k], z[k + 1]] = [q, s, Infinity];
  }
  k = 0;
  for (let i = 0; i < n; i++) {
    while (z[k + 1] < i) k += 1;
    out[first + i * stride] = square * (i - v[k]) ** 2 + f[v[k]];
  }
}
