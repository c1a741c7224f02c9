/**
 * The voxels under a brush on its way from one place to the next: whose centres are within the radius of the segment
 * between them, measured in millimetres by the grid's metric. Swept in one go, so that a fast pointer leaves no gaps.
 * The swept ball is convex, so every row of voxels meets it in one interval, found by solving quadratics in x.
 */

/**
 * @param {import('./grid.js').Grid} grid
 * @param {{ from: number[], to?: number[], radius: number, plane?: number }} brush places in voxels, fractions allowed; the radius
 *   in millimetres; `plane` the axis that a disc is flat along, left out for a ball
 * @param {(start: number, end: number) => void} row called with indices of voxels, `end` exclusive
 */
export function sweep(grid, { from, to = from, radius, plane }, row) {
  const [p, q] = plane === undefined ? [from, to] : [flat(from, plane, from), flat(to, plane, from)];
  const { dims, reach } = grid;
  const low = [0, 1, 2].map((i) => Math.max(0, Math.ceil(Math.min(p[i], q[i]) - reach[i] * radius)));
  const high = [0, 1, 2].map((i) => Math.min(dims[i] - 1, Math.floor(Math.max(p[i], q[i]) + reach[i] * radius)));
  if (plane !== undefined) {
    low[plane] = Math.max(low[plane], p[plane]);
    high[plane] = Math.min(high[plane], p[plane]);
  }
  const cut = intervals(grid.metric, p, q, radius);
  for (let z = low[2]; z <= high[2]; z++) {
    for (let y = low[1]; y <= high[1]; y++) {
      const [a, b] = cut(y, z);
      const first = Math.max(low[0], Math.ceil(a - 1e-9));
      const last = Math.min(high[0], Math.floor(b + 1e-9));
      const base = dims[0] * (y + dims[1] * z);
      if (first <= last) row(base + first, base + last + 1);
    }
  }
  dots(grid, p, q, row);
}

/** @param {number[]} place @param {number} plane @param {number[]} first */
const flat = (place, plane, first) => place.map((at, axis) => (axis === plane ? Math.round(first[plane]) : at));

/**
 * The voxels that the centre of the brush passes: a brush smaller than a voxel paints them all the same.
 * @param {import('./grid.js').Grid} grid @param {number[]} p @param {number[]} q @param {(start: number, end: number) => void} row
 */
function dots({ dims }, p, q, row) {
  const steps = Math.max(1, Math.ceil(2 * Math.max(...p.map((at, i) => Math.abs(q[i] - at)))));
  for (let s = 0; s <= steps; s++) {
    const [x, y, z] = p.map((at, i) => Math.round(at + ((q[i] - at) * s) / steps));
    if (x < 0 || y < 0 || z < 0 || x >= dims[0] || y >= dims[1] || z >= dims[2]) continue;
    const index = x + dims[0] * (y + dims[1] * z);
    row(index, index + 1);
  }
}

/**
 * (y, z) -> the interval of x within the radius of the segment; empty where its start is beyond its end.
 * @param {number[][]} metric @param {number[]} p @param {number[]} q @param {number} radius
 * @returns {(y: number, z: number) => number[]}
 */
function intervals(metric, p, q, radius) {
  const [[g00, g01, g02], [, g11, g12], [, , g22]] = metric;
  const dot = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
    a[0] * (g00 * b[0] + g01 * b[1] + g02 * b[2]) +
    a[1] * (g01 * b[0] + g11 * b[1] + g12 * b[2]) +
    a[2] * (g02 * b[0] + g12 * b[1] + g22 * b[2]);
  const v = q.map((at, i) => at - p[i]);
  const vv = dot(v, v);
  const uv = g00 * v[0] + g01 * v[1] + g02 * v[2];
  const square = radius * radius;
  const found = [0, 0];
  let [low, high] = [Infinity, -Infinity];
  const widen = (/** @type {number} */ a, /** @type {number} */ b) => {
    if (a > b) return;
    low = Math.min(low, a);
    high = Math.max(high, b);
  };
  /** |(x - cx, dy, dz)| <= radius, with cx the x of an end of the segment. */
  const ball = (/** @type {number} */ cx, /** @type {number} */ dy, /** @type {number} */ dz) => {
    const b = g01 * dy + g02 * dz;
    const c = g11 * dy * dy + 2 * g12 * dy * dz + g22 * dz * dz - square;
    const root = b * b - g00 * c;
    if (root >= 0) widen(cx + (-b - Math.sqrt(root)) / g00, cx + (-b + Math.sqrt(root)) / g00);
  };
  /** The part beside the segment: the distance to its line, where the foot of the perpendicular is between its ends. */
  const side = (/** @type {number} */ dy, /** @type {number} */ dz) => {
    const d = [-p[0], dy, dz];
    const [dd, dv] = [dot(d, d), dot(d, v)];
    const ud = g00 * d[0] + g01 * dy + g02 * dz;
    const [a, b, c] = [g00 - (uv * uv) / vv, ud - (uv * dv) / vv, dd - (dv * dv) / vv - square];
    let [from, to] = [-Infinity, Infinity];
    if (a > 1e-9 * g00) {
      const root = b * b - a * c;
      if (root < 0) return;
      [from, to] = [(-b - Math.sqrt(root)) / a, (-b + Math.sqrt(root)) / a];
    } else if (c > 0) return;
    if (Math.abs(uv) > 1e-12) {
      const ends = [-dv / uv, (vv - dv) / uv];
      from = Math.max(from, Math.min(...ends));
      to = Math.min(to, Math.max(...ends));
    } else if (dv < 0 || dv > vv) return;
    widen(from, to);
  };
  return (y, z) => {
    [low, high] = [Infinity, -Infinity];
    ball(p[0], y - p[1], z - p[2]);
    if (vv > 0) {
      ball(q[0], y - q[1], z - q[2]);
      side(y - p[1], z - p[2]);
    }
    [found[0], found[1]] = [low, high];
    return found;
  };
}
