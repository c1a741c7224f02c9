/**
 * The label volume under correction: its voxels, its table, and every change of either with its way back. Knows no page and
 * no viewer; who draws hears of the box that changed.
 */
/** @import { Change } from './change.js' */
/** @import { Box, Labels } from './grid.js' */
/** @import { EditName } from './history.js' */
/** @import { Label } from './table.js' */

import { between } from './between.js';
import { sweep } from './brush.js';
import { apply, Recorder } from './change.js';
import { boxOf, fromFile, indexOf, inside, toFile, wholeBox } from './grid.js';
import { History } from './history.js';
import { flood, islands } from './region.js';
import { smoothed } from './smooth.js';
import { edited, extended, tableOf } from './table.js';

/** @typedef {{ stored: ArrayLike<number>, slope: number, inter: number }} Values intensities as the file stores them */

export class Editor {
  /** @type {Label[]} */
  table = [];
  /** Another number after every change of voxels or table. */
  version = 0;
  /** Voxels of each value. */
  counts = new Float64Array(256);
  #locked = new Uint8Array(256);

  /**
   * @param {import('./grid.js').Grid} grid
   * @param {{ values?: Values, history?: History, onVoxels?: (box: Box) => void, onTable?: () => void }} [options] `values`: intensities
   *   in the order of the file and as it stores them, for brushes that look at them
   */
  constructor(grid, { values, history = new History(), onVoxels = () => {}, onTable = () => {} } = {}) {
    this.grid = grid;
    this.values = values;
    this.history = history;
    this.onVoxels = onVoxels;
    this.onTable = onTable;
    /** @type {Labels} */
    this.labels = new Uint8Array(grid.count);
    /** The mask of the last run, before any hand: what differs from it is the person's. @type {Labels} */
    this.base = new Uint8Array(grid.count);
    this.counts[0] = grid.count;
  }

  /**
   * The mask of a run, in the order of the file; the table gets the labels that it did not have. Locked labels stay as they
   * are, and so do voxels for which `keep(index)` holds. With `only`, the run was of these labels: voxels of all others
   * stay, and what a person made of them. `also` is called when the mask is taken back, and when it is put in again. Can be undone.
   * @param {Uint8Array} labels @param {{ index: number, name: string, color: string }[]} classes
   * @param {{ name?: EditName, keep?: (index: number) => boolean, only?: readonly number[], also?: (back: boolean) => void }} [options]
   */
  setMask(labels, classes, { name = 'run', keep = () => false, only, also = () => {} } = {}) {
    const next = fromFile(this.grid, labels);
    const isOthers = Uint8Array.from({ length: 256 }, (_, value) => (only && value > 0 && !only.includes(value) ? 1 : 0));
    const [before, after] = [this.table, this.#merged(classes)];
    const recorder = this.#record();
    const ofBase = new Recorder(this.grid, this.base, new Float64Array(256));
    const locked = this.#locked;
    for (let i = 0; i < next.length; i++) {
      // Most of a head: nothing before, nothing now.
      if ((next[i] | this.labels[i] | this.base[i]) === 0) continue;
      const others = isOthers[this.base[i]] === 1;
      const stays = others || isOthers[this.labels[i]] === 1 || keep(i);
      if (!others) ofBase.set(i, next[i]);
      if (!stays && locked[this.labels[i]] === 0 && locked[next[i]] === 0) recorder.set(i, next[i]);
    }
    const [change, base] = [recorder.done(), ofBase.done()];
    const put = (/** @type {Label[]} */ table, /** @type {boolean} */ back) => {
      apply(base, this.grid, this.base, new Float64Array(256), back);
      this.#setTable(table);
      this.#put(change, back);
      also(back);
    };
    this.#setTable(after);
    this.#voxelsChanged(wholeBox(this.grid));
    const bytes = change.bytes.length + base.bytes.length;
    this.history.push({ name, bytes, undo: () => put(before, true), redo: () => put(after, false) });
  }

  /** What a person has named or hidden stays so. @param {{ index: number, name: string, color: string }[]} classes */
  #merged(classes) {
    const known = new Set(this.table.map(({ index }) => index));
    return [...this.table, ...tableOf(classes).filter(({ index }) => !known.has(index))];
  }

  /** In the order of the file. */
  toFile() {
    return toFile(this.grid, this.labels);
  }

  /** Whether a person changed this voxel since the last run. @param {number} index */
  corrected(index) {
    return this.labels[index] !== this.base[index];
  }

  // Strokes

  /**
   * A stroke of `value` (0 erases), made by `to(place)` with places in voxels and ended by `end()`.
   * @param {{ value: number, radius: number, plane?: number, range?: number[] }} brush `range`: only where the intensity is within it
   */
  stroke({ value, radius, plane, range }) {
    const recorder = this.#record();
    const allowed = this.isLocked(value) ? () => false : this.#rule(range);
    /** @type {number[] | undefined} */
    let last;
    const row = (/** @type {number} */ start, /** @type {number} */ end) => {
      for (let i = start; i < end; i++) if (allowed(i)) recorder.set(i, value);
    };
    return {
      to: (/** @type {number[]} */ place) => {
        sweep(this.grid, { from: last ?? place, to: place, radius, plane }, row);
        last = place;
        const box = recorder.drainBox();
        if (box) this.#voxelsChanged(box);
        return box;
      },
      end: () => this.#push(value === 0 ? 'erase' : 'stroke', recorder.done()),
    };
  }

  /**
   * Which voxels may change: not those of a locked label, and those that the brush looks for.
   * @param {number[]} [range] @returns {(index: number) => boolean}
   */
  #rule(range) {
    const { labels, values, grid } = this;
    const locked = this.#locked;
    const free = (/** @type {number} */ i) => locked[labels[i]] === 0;
    if (!range || !values) return free;
    const { stored, slope, inter } = values;
    const [low, high] = range.map((value) => (value - inter) / slope).sort((a, b) => a - b);
    const { dims, start, step } = grid;
    return (i) => {
      if (!free(i)) return false;
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

  /** Smooths the edge of a label, by default by the largest side of a voxel. @param {number} value @param {number} [sigma] millimetres */
  smooth(value, sigma = Math.max(...this.grid.spacing) * 0.8) {
    return this.#edit('smooth', (set) =>
      smoothed(this.grid, this.labels, value, sigma, (i, gained) => {
        if (!gained) set(i, 0);
        else if (this.labels[i] === 0) set(i, value);
      }),
    );
  }

  /** Fills a label between the slices across `axis` that it was drawn in. @param {number} value @param {number} axis */
  interpolate(value, axis) {
    return this.#edit('between', (set) => between(this.grid, this.labels, value, axis, (i) => this.labels[i] === 0 && set(i, value)));
  }

  // The table

  /** @param {number} index @param {string} name */
  rename(index, name) {
    this.#editTable('label', edited(this.table, index, { name }));
  }

  /** @param {number} index @param {string} color */
  recolor(index, color) {
    this.#editTable('label', edited(this.table, index, { color }));
  }

  /** What is shown is no edit of the mask, and not part of its history. @param {number} index @param {boolean} visible */
  show(index, visible) {
    this.#setTable(edited(this.table, index, { visible }));
  }

  /** @param {number} index @param {boolean} locked */
  lock(index, locked) {
    this.#setTable(edited(this.table, index, { locked }));
  }

  /** The index of the new label; undefined where there are as many as there can be. @param {(index: number) => string} name */
  addLabel(name) {
    const next = extended(this.table, name);
    if (next) this.#editTable('label', next);
    return next?.at(-1)?.index;
  }

  /** @param {number} index */
  isLocked(index) {
    return this.#locked[index] === 1;
  }

  /**
   * Labels, base and table as they were saved; the history begins anew.
   * @param {{ labels: Labels, base: Labels, table: Label[] }} saved
   */
  restore({ labels, base, table }) {
    this.labels.set(labels);
    this.base = base;
    this.counts.fill(0);
    for (const value of labels) this.counts[value]++;
    this.#setTable(table);
    this.#voxelsChanged(wholeBox(this.grid));
  }

  /** @param {number} value */
  boxOf(value) {
    return boxOf(this.grid, this.labels, value);
  }

  // How changes are made

  /** @param {Box} box */
  #voxelsChanged(box) {
    this.version++;
    this.onVoxels(box);
  }

  #tableChanged() {
    this.version++;
    this.onTable();
  }

  #record() {
    return new Recorder(this.grid, this.labels, this.counts);
  }

  /** @param {EditName} name @param {(set: (index: number, value: number) => void) => void} make */
  #edit(name, make) {
    const recorder = this.#record();
    const locked = this.#locked;
    make((index, value) => locked[this.labels[index]] === 0 && locked[value] === 0 && recorder.set(index, value));
    const change = recorder.done();
    if (change.box) this.#voxelsChanged(change.box);
    return this.#push(name, change);
  }

  /** Whether anything changed. @param {EditName} name @param {Change} change */
  #push(name, change) {
    if (change.bytes.length === 0) return false;
    this.history.push({ name, bytes: change.bytes.length, undo: () => this.#put(change, true), redo: () => this.#put(change, false) });
    return true;
  }

  /** @param {Change} change @param {boolean} back */
  #put(change, back) {
    const box = apply(change, this.grid, this.labels, this.counts, back);
    if (box) this.#voxelsChanged(box);
  }

  /** @param {EditName} name @param {Label[]} after */
  #editTable(name, after) {
    const before = this.table;
    this.#setTable(after);
    this.history.push({ name, bytes: 200 * after.length, undo: () => this.#setTable(before), redo: () => this.#setTable(after) });
  }

  /** @param {Label[]} table */
  #setTable(table) {
    this.table = table;
    this.#locked.fill(0);
    for (const { index, locked } of table) this.#locked[index] = locked ? 1 : 0;
    this.#tableChanged();
  }
}
