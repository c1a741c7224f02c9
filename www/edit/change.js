/**
 * What changed in a label volume, as runs of voxels that had one value and got another: a stroke takes a few bytes a
 * row. Within one change every voxel changes at most once, so the runs can be undone in any order.
 *
 * A run in bytes: gap to the end of the run before it (zigzag varint), length (varint), value before, value after.
 */

/** @import { Box, Grid } from './grid.js' */

/** @typedef {{ bytes: Uint8Array, box: Box | null, voxels: number }} Change */

const EMPTY = new Uint8Array(0);

export class Recorder {
  /** @type {Box | null} what changed since it was asked last */
  box = null;
  voxels = 0;
  #bytes = EMPTY;
  #size = 0;
  #end = 0;
  #run = { start: 0, end: 0, before: 0, after: 0 };

  /** @param {Pick<Grid, 'dims'>} grid @param {Uint8Array} labels @param {Float64Array} counts voxels of each value, kept right */
  constructor(grid, labels, counts) {
    this.grid = grid;
    this.labels = labels;
    this.counts = counts;
  }

  /** Gives a voxel its new value. @param {number} index @param {number} value */
  set(index, value) {
    const before = this.labels[index];
    if (before === value) return;
    const run = this.#run;
    if (run.end !== index || run.before !== before || run.after !== value) {
      this.#close();
      run.start = index;
      run.before = before;
      run.after = value;
    }
    run.end = index + 1;
    this.labels[index] = value;
  }

  /** The change up to now; the recorder is used up. @returns {Change} */
  done() {
    this.#close();
    return { bytes: this.#bytes.slice(0, this.#size), box: this.box, voxels: this.voxels };
  }

  /** The box that changed since it was asked last; null where nothing did. */
  drainBox() {
    this.#close();
    const { box } = this;
    this.box = null;
    return box;
  }

  #close() {
    const { start, end, before, after } = this.#run;
    if (start === end) return;
    this.#run.start = this.#run.end = 0;
    const length = end - start;
    this.voxels += length;
    this.counts[before] -= length;
    this.counts[after] += length;
    this.box = grownBy(this.box, this.grid.dims, start, end);
    if (this.#size + 24 > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(128, this.#bytes.length * 2));
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    const gap = start - this.#end;
    this.#varint(gap < 0 ? -2 * gap - 1 : 2 * gap);
    this.#varint(length);
    this.#bytes[this.#size++] = before;
    this.#bytes[this.#size++] = after;
    this.#end = end;
  }

  /** @param {number} value */
  #varint(value) {
    while (value >= 128) {
      this.#bytes[this.#size++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#size++] = value;
  }
}

/**
 * The box with the run [start, end) in it; made anew only where it grows.
 * @param {Box | null} box @param {number[]} dims @param {number} start @param {number} end @returns {Box}
 */
function grownBy(box, [nx, ny], start, end) {
  const last = end - 1;
  const [rowA, rowB] = [Math.floor(start / nx), Math.floor(last / nx)];
  const [x0, x1] = rowA === rowB ? [start - rowA * nx, last - rowA * nx + 1] : [0, nx];
  const [z0, z1] = [Math.floor(rowA / ny), Math.floor(rowB / ny)];
  const [y0, y1] = z0 === z1 ? [rowA - z0 * ny, rowB - z0 * ny + 1] : [0, ny];
  if (!box) return { start: [x0, y0, z0], end: [x1, y1, z1 + 1] };
  const { start: s, end: e } = box;
  if (x0 < s[0]) s[0] = x0;
  if (y0 < s[1]) s[1] = y0;
  if (z0 < s[2]) s[2] = z0;
  if (x1 > e[0]) e[0] = x1;
  if (y1 > e[1]) e[1] = y1;
  if (z1 + 1 > e[2]) e[2] = z1 + 1;
  return box;
}

/**
 * Puts a change into labels and counts, or with `back` takes it out again.
 * @param {Pick<Change, 'bytes'>} change @param {Pick<Grid, 'dims'>} grid @param {Uint8Array} labels @param {Float64Array} counts @param {boolean} [back]
 * @returns {Box | null} what it touched
 */
export function apply({ bytes }, { dims }, labels, counts, back = false) {
  let [at, end] = [0, 0];
  /** @type {Box | null} */
  let box = null;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const gap = varint();
    const start = end + (gap % 2 === 1 ? -(gap + 1) / 2 : gap / 2);
    end = start + varint();
    const [before, after] = [bytes[at++], bytes[at++]];
    labels.fill(back ? before : after, start, end);
    counts[back ? after : before] -= end - start;
    counts[back ? before : after] += end - start;
    box = grownBy(box, dims, start, end);
  }
  return box;
}
