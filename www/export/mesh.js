/**
 * The surface of a label as triangles: naive surface nets (Gibson 1998). Every cell of eight voxels that holds both sides gets one
 * vertex, at the mean of the crossings of its edges, and every edge of the grid that crosses the surface a quad of the four
 * cells around it. The surface is closed: beyond the volume nothing is inside. A few steps of Taubin's filter take the stairs off
 * without shrinking it.
 */
import { determinant, worldOf } from '../edit/grid.js';

const SMOOTHING = { steps: 8, shrink: 0.5, grow: -0.53 };

/**
 * @param {import('../edit/grid.js').Grid} grid @param {{ start: number[], end: number[] }} box around the label
 * @param {(index: number) => boolean} inside
 * @returns {{ vertices: Float64Array, triangles: Uint32Array }} millimetres, RAS+; triangles wound to face outwards
 */
export function meshOf(grid, box, inside) {
  const size = box.end.map((end, i) => end - box.start[i] + 2); // voxels of the box with one of air around it
  const [nx, ny] = size;
  const field = new Uint8Array(size[0] * size[1] * size[2]);
  for (let z = box.start[2]; z < box.end[2]; z++) {
    for (let y = box.start[1]; y < box.end[1]; y++) {
      const to = 1 + nx * (y - box.start[1] + 1 + ny * (z - box.start[2] + 1)) - box.start[0];
      const from = grid.dims[0] * (y + grid.dims[1] * z);
      for (let x = box.start[0]; x < box.end[0]; x++) field[to + x] = inside(from + x) ? 1 : 0;
    }
  }
  const net = netOf(field, size);
  smooth(net);
  const vertices = new Float64Array(net.places.length);
  for (let i = 0; i < vertices.length; i += 3) {
    vertices.set(
      worldOf(
        grid,
        [0, 1, 2].map((axis) => net.places[i + axis] + box.start[axis] - 1),
      ),
      i,
    );
  }
  const triangles = Uint32Array.from(net.triangles);
  if (determinant(grid.affine) < 0)
    for (let i = 0; i < triangles.length; i += 3) [triangles[i + 1], triangles[i + 2]] = [triangles[i + 2], triangles[i + 1]];
  return { vertices, triangles };
}

/** @typedef {{ places: number[], triangles: number[] }} Net vertices in voxels of the field, and the triangles between them */

/** @param {Uint8Array} field @param {number[]} size @returns {Net} */
function netOf(field, size) {
  const strides = [1, size[0], size[0] * size[1]];
  const corners = Array.from({ length: 8 }, (_, c) => (c & 1) * strides[0] + ((c >> 1) & 1) * strides[1] + (c >> 2) * strides[2]);
  const vertexOf = new Int32Array(field.length).fill(-1);
  /** @type {Net} */
  const { places, triangles } = { places: [], triangles: [] };
  for (let z = 0; z + 1 < size[2]; z++) {
    for (let y = 0; y + 1 < size[1]; y++) {
      for (let x = 0; x + 1 < size[0]; x++) {
        const cell = x + size[0] * (y + size[1] * z);
        let mask = 0;
        for (let c = 0; c < 8; c++) mask |= field[cell + corners[c]] << c;
        if (mask === 0 || mask === 255) continue;
        vertexOf[cell] = places.length / 3;
        const [u, v, w] = crossing(mask);
        places.push(x + u, y + v, z + w);
        faces(field, vertexOf, cell, [x, y, z], strides, triangles);
      }
    }
  }
  return { places, triangles };
}

/** @type {Map<number, number[]>} */
const crossings = new Map();

/** The mean of the middles of the edges that cross. @param {number} mask the eight corners' bits */
function crossing(mask) {
  const known = crossings.get(mask);
  if (known) return known;
  const sum = [0, 0, 0, 0];
  for (let c = 0; c < 8; c++) {
    for (const bit of [1, 2, 4]) {
      if (c & bit || ((mask >> c) & 1) === ((mask >> (c | bit)) & 1)) continue;
      [1, 2, 4].forEach((one, axis) => (sum[axis] += one === bit ? 0.5 : c & one ? 1 : 0));
      sum[3] += 1;
    }
  }
  const mean = sum.slice(0, 3).map((value) => value / sum[3]);
  crossings.set(mask, mean);
  return mean;
}

/**
 * The quads of the three edges that leave the cell's first corner; the cells on their other sides came before.
 * @param {Uint8Array} field @param {Int32Array} vertexOf @param {number} cell @param {number[]} at @param {number[]} strides @param {number[]} triangles
 */
function faces(field, vertexOf, cell, at, strides, triangles) {
  for (let axis = 0; axis < 3; axis++) {
    const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
    if (at[u] === 0 || at[v] === 0) continue;
    const [here, there] = [field[cell], field[cell + strides[axis]]];
    if (here === there) continue;
    const [a, b, c, d] = [cell - strides[u] - strides[v], cell - strides[v], cell, cell - strides[u]].map((one) => vertexOf[one]);
    if (here) triangles.push(a, b, c, a, c, d);
    else triangles.push(a, c, b, a, d, c);
  }
}

/** @param {Net} net */
function smooth({ places, triangles }) {
  const count = places.length / 3;
  const neighbours = Array.from({ length: count }, () => /** @type {Set<number>} */ (new Set()));
  for (let i = 0; i < triangles.length; i += 3) {
    const [a, b, c] = triangles.slice(i, i + 3);
    neighbours[a].add(b).add(c);
    neighbours[b].add(a).add(c);
    neighbours[c].add(a).add(b);
  }
  for (let step = 0; step < SMOOTHING.steps; step++) {
    for (const factor of [SMOOTHING.shrink, SMOOTHING.grow]) {
      const before = places.slice();
      neighbours.forEach((around, i) => {
        for (let axis = 0; axis < 3; axis++) {
          let sum = 0;
          for (const j of around) sum += before[3 * j + axis];
          const at = 3 * i + axis;
          places[at] = before[at] + factor * (sum / around.size - before[at]);
        }
      });
    }
  }
}

/**
 * Binary STL. Slicer and most readers take its millimetres as LPS; `RAS` in the header says what they are.
 * @param {{ vertices: Float64Array, triangles: Uint32Array }} mesh
 */
export function stlOf({ vertices, triangles }) {
  const count = triangles.length / 3;
  const out = new DataView(new ArrayBuffer(84 + 50 * count));
  new TextEncoder().encodeInto('insitu-seg SPACE=RAS; millimetres', new Uint8Array(out.buffer));
  out.setUint32(80, count, true);
  for (let t = 0, at = 84; t < count; t++, at += 50) {
    const [a, b, c] = [0, 1, 2].map((k) => Array.from(vertices.subarray(3 * triangles[3 * t + k], 3 * triangles[3 * t + k] + 3)));
    const [u, v] = [b, c].map((one) => one.map((x, i) => x - a[i]));
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...normal) || 1;
    [...normal.map((x) => x / length), ...a, ...b, ...c].forEach((x, i) => out.setFloat32(at + 4 * i, x, true));
  }
  return new Uint8Array(out.buffer);
}
