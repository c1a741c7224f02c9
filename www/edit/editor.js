/** What a person does to a segmentation: strokes, edits of a region, of a label, of the table. Each is one entry of its history. */
/** @import { Edit, SegmentationOptions } from './segmentation.js' */
/** @import { EditName } from './history.js' */
/** @import { Label, LabelClass } from './table.js' */

import { between } from './between.js';
import { sweep } from './brush.js';
import { boxOf, fromFile, indexOf, inside, toFile, wholeBox } from './grid.js';
import { isTaken, mergeMask, mergeRun } from './merge.js';
import { flood, islands } from './region.js';
import { Edit as OpenEdit, Segmentation } from './segmentation.js';
import { smoothed } from './smooth.js';
import { freeValue } from './table.js';

/** @typedef {{ stored: ArrayLike<number>, slope: number, inter: number }} Values intensities as the file stores them */

export class Editor extends Segmentation {
  /**
   * @param {import('./grid.js').Grid} grid
   * @param {SegmentationOptions & { values?: Values }} [options] `values`: intensities in the order of the file and as it stores them, for
   *   brushes that look at them
   */
  constructor(grid, { values, ...options } = {}) {
    super(grid, options);
    this.values = values;
  }

  /**
   * The mask of a run, in the order of the file (see `mergeRun`). `also` is called when the mask is taken back, and when it is put in again.
   * @param {Uint8Array} labels @param {readonly LabelClass[]} classes
   * @param {{ name?: EditName, keep?: (index: number) => boolean, only?: readonly number[], gone?: readonly number[], also?: (back: boolean) => void }} [options]
   */
  setMask(labels, classes, { name = 'run', keep, only, gone, also } = {}) {
    const mask = fromFile(this.grid, labels);
    this.edit(name, (edit) => mergeRun(this, edit, mask, classes, { keep, only, gone }), { always: true, also });
    this.voxelsChanged(wholeBox(this.grid));
  }

  /** The mask of a file, in the order of the image's file (see `mergeMask`). @param {Uint8Array} labels @param {readonly LabelClass[]} classes */
  importMask(labels, classes) {
    const mask = fromFile(this.grid, labels);
    return this.edit('import', (edit) => mergeMask(this, edit, mask, classes));
  }

  /** In the order of the file. */
  toFile() {
    return toFile(this.grid, this.labels);
  }

  // Strokes

  /**
   * A stroke of `value` (0 erases), made by `to(place)` with places in voxels and ended by `end()`. What else is done in the middle of it
   * closes it: after a run or another edit it goes on as a stroke of its own, if its label is still the same one; after undo it is over.
   * @param {{ value: number, radius: number, plane?: number, range?: number[], within?: number }} brush `range`: only where the intensity is
   *   within it; `within`: only where this label is, or with 0 none
   */
  stroke({ value, radius, plane, range, within }) {
    const allowed = this.#rule(range, within);
    const rowOf = () => this.table.find(({ index }) => index === value);
    /** @type {Label | undefined} as it was when the stroke was closed */
    let row;
    /** @type {number[] | undefined} */
    let last;
    /** @type {Edit | null} */
    let edit = null;
    const { moves } = this.history;
    let [isOver, hasChanged] = [false, false];
    const close = () => {
      row = rowOf();
      const made = edit;
      edit = null;
      if (made?.commit()) hasChanged = true;
    };
    return {
      to: (/** @type {number[]} */ place) => {
        if (isOver || this.history.moves !== moves) return null;
        if (!edit) {
          const now = rowOf();
          if (row && (!now || now.className !== row.className)) return null;
          this.history.open({ close });
          edit = new OpenEdit(this, value === 0 ? 'erase' : 'stroke');
        }
        const made = edit;
        sweep(this.grid, { from: last ?? place, to: place, radius, plane }, (start, end) => {
          for (let i = start; i < end; i++) if (allowed(i)) made.set(i, value);
        });
        last = place;
        return edit.show();
      },
      end: () => {
        if (edit) this.history.close();
        isOver = true;
        return hasChanged;
      },
    };
  }

  /**
   * Which voxels a brush looks for.
   * @param {number[]} [range] @param {number} [within] @returns {(index: number) => boolean}
   */
  #rule(range, within) {
    const { values, grid, labels } = this;
    const isThere = (/** @type {number} */ i) => within === undefined || labels[i] === within;
    if (!range || !values) return isThere;
    const { stored, slope, inter } = values;
    const [low, high] = range.map((value) => (value - inter) / slope).sort((a, b) => a - b);
    const { dims, start, step } = grid;
    return (i) => {
      if (!isThere(i)) return false;
      const x = i % dims[0];
      const rest = (i - x) / dims[0];
      const y = rest % dims[1];
      const value = stored[start + x * step[0] + y * step[1] + ((rest - y) / dims[1]) * step[2]];
      return value >= low && value <= high;
    };
  }

  // Edits of a whole region

  /**
   * Gives `value` to the piece of one label, or of the background, that `place` lies in, within its slice.
   * @param {number[]} place @param {number} value @param {number} plane
   */
  fill(place, value, plane) {
    if (!inside(this.grid, place)) return false;
    const seed = indexOf(this.grid, place);
    const axes = [0, 1, 2].filter((axis) => axis !== plane);
    const from = this.labels[seed];
    return this.#edit('fill', (set) => flood(this.grid, seed, axes, (i) => this.labels[i] === from).forEach((i) => set(i, value)));
  }

  /** Removes the island of a label that `place` lies in. @param {number[]} place */
  removeIsland(place) {
    if (!inside(this.grid, place)) return false;
    const seed = indexOf(this.grid, place);
    const value = this.labels[seed];
    if (value === 0) return false;
    return this.#edit('island', (set) => flood(this.grid, seed, [0, 1, 2], (i) => this.labels[i] === value).forEach((i) => set(i, 0)));
  }

  /** Removes all of a label but its largest part. @param {number} value */
  keepLargest(value) {
    return this.#edit('largest', (set) =>
      islands(this.grid, this.labels, value)
        .slice(1)
        .flat()
        .forEach((i) => set(i, 0)),
    );
  }

  /**
   * Smooths the edge of a label, by default by the largest side of a voxel. A label that is thinner than that would be gone, so
   * `mayEmpty` is asked first.
   * @param {number} value @param {number} [sigma] millimetres @param {() => boolean} [mayEmpty]
   */
  smooth(value, sigma = Math.max(...this.grid.spacing) * 0.8, mayEmpty = () => false) {
    if (this.isLocked(value)) return false;
    /** @type {[index: number, value: number][]} */
    const found = [];
    let left = this.counts[value];
    smoothed(this.grid, this.labels, value, sigma, (i, gained) => {
      if (gained && this.labels[i] !== 0) return;
      left += gained ? 1 : -1;
      found.push([i, gained ? value : 0]);
    });
    if (left === 0 && found.length > 0 && !mayEmpty()) return false;
    return this.#edit('smooth', (set) => found.forEach(([i, next]) => set(i, next)));
  }

  /** Fills a label between the slices across `axis` that it was drawn in. @param {number} value @param {number} axis */
  interpolate(value, axis) {
    return this.#edit('between', (set) => between(this.grid, this.labels, value, axis, (i) => this.labels[i] === 0 && set(i, value)));
  }

  // Labels

  /** @param {number} index @param {string} name */
  rename(index, name) {
    return this.#editRow(index, { name });
  }

  /** @param {number} index @param {string} color */
  recolor(index, color) {
    return this.#editRow(index, { color });
  }

  /** The index of the new label; undefined where there are as many as there can be. @param {(index: number) => string} [name] */
  addLabel(name = this.nameOf) {
    // Not a value of the last run either: there it would be taken for the run's.
    const index = freeValue((value) => isTaken(this, value)) ?? freeValue((value) => this.isListed(value));
    if (index === undefined) return undefined;
    this.edit('label', (edit) => edit.row({ kind: 'add', at: this.table.length, row: this.newRow(index, this.table, name(index)) }));
    return index;
  }

  /**
   * Takes a label out of the table, its voxels with it: to the background, or to another label. False where either is locked or not there.
   * @param {number} index @param {number} [into]
   */
  deleteLabel(index, into = 0) {
    const row = this.table.find((one) => one.index === index);
    if (!row || index === into || !this.isListed(into) || this.isLocked(index) || this.isLocked(into)) return false;
    return this.edit(into === 0 ? 'delete' : 'merge', (edit) => {
      const { labels } = this;
      for (let i = labels.indexOf(index); i >= 0; i = labels.indexOf(index, i + 1)) edit.set(i, into);
      edit.row({ kind: 'remove', at: this.table.indexOf(row), row });
    });
  }

  /** @param {number} value */
  boxOf(value) {
    return boxOf(this.grid, this.labels, value);
  }

  /** @param {EditName} name @param {(set: (index: number, value: number) => void) => void} make */
  #edit(name, make) {
    return this.edit(name, (edit) => make((index, value) => edit.set(index, value)));
  }

  /** @param {number} index @param {{ name: string } | { color: string }} after */
  #editRow(index, after) {
    const row = this.table.find((one) => one.index === index);
    if (!row) return false;
    const before = 'name' in after ? { name: row.name } : { color: row.color };
    return this.edit('label', (edit) => edit.row({ kind: 'edit', index, before, after }));
  }
}
