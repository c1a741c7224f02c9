/**
 * The label volume under correction: its voxels, its table, and every change of either with its way back. Knows no page and
 * no viewer; who draws hears of the box that changed.
 */
import { Recorder, apply } from './change.js';
import { History } from './history.js';
import { boxOf, fromFile, indexOf, inside, toFile, wholeBox } from './grid.js';
import { between } from './between.js';
import { edited, extended, tableOf } from './table.js';
import { flood, islands } from './region.js';
import { smoothed } from './smooth.js';
import { sweep } from './brush.js';

export class Editor {
  /** @type {{ index: number, name: string, color: string, visible: boolean, locked: boolean }[]} */
  table = [];
  /** Another number after every change of voxels or table. */
  version = 0;
  /** Voxels of each value. */
  counts = new Float64Array(256);
  #locked = new Uint8Array(256);

  /**
   * @param {import('./grid.js').Grid} grid
   * @param {{ values?: { stored: ArrayLike<number>, slope: number, inter: number }, history?: History, onVoxels?(box: object): void, onTable?(): void }} options `values`: intensities
   *   in the order of the file and as it stores them, for brushes that look at them
   */
  constructor(grid, { values, history = new History(), onVoxels = () => {}, onTable = () => {} } = {}) {
    Object.assign(this, { grid, values, history });
    this.onVoxels = (box) => (this.version++, onVoxels(box));
    this.onTable = () => (this.version++, onTable());
    this.labels = new Uint8Array(grid.count);
    /** The mask of the last run, before any hand: what differs from it is the person's. */
    this.base = new Uint8Array(grid.count);
    this.counts[0] = grid.count;
  }

  /**
   * The mask of a run, in the order of the file; the table gets the labels that it did not have. Locked labels stay as they
   * are, and so do voxels for which `keep(index)` holds. Can be undone.
   */
  take(labels, classes, { name = 'run', keep = () => false } = {}) {
    const next = fromFile(this.grid, labels);
    const kept = Uint8Array.from(next, (_, i) => (keep(i) ? 1 : 0));
    const [before, after] = [this.table, this.#merged(classes)];
    const recorder = this.#record();
    const ofBase = new Recorder(this.grid, this.base, new Float64Array(256));
    const locked = this.#locked;
    for (let i = 0; i < next.length; i++) {
      ofBase.set(i, next[i]);
      if (kept[i] === 0 && locked[this.labels[i]] === 0 && locked[next[i]] === 0) recorder.set(i, next[i]);
    }
    const [change, base] = [recorder.done(), ofBase.done()];
    const put = (table, back) => {
      apply(base, this.grid, this.base, new Float64Array(256), back);
      this.#setTable(table);
      this.#put(change, back);
    };
    this.#setTable(after);
    this.onVoxels(wholeBox(this.grid));
    const bytes = change.bytes.length + base.bytes.length;
    this.history.push({ name, bytes, undo: () => put(before, true), redo: () => put(after, false) });
  }

  /** What a person has named or hidden stays so. */
  #merged(classes) {
    const known = new Set(this.table.map(({ index }) => index));
    return [...this.table, ...tableOf(classes).filter(({ index }) => !known.has(index))];
  }

  /** In the order of the file. */
  toFile() {
    return toFile(this.grid, this.labels);
  }

  /** Whether a person changed this voxel since the last run. */
  corrected(index) {
    return this.labels[index] !== this.base[index];
  }

  // Strokes

  /**
   * A stroke of `value` (0 erases), made by `to(place)` with places in voxels and ended by `end()`.
   * @param {{ value: number, radius: number, plane?: number, range?: number[], only?: number }} brush `range`: only where the intensity
   *   is within it; `only`: only over this label
   */
  stroke({ value, radius, plane, range, only }) {
    const recorder = this.#record();
    const allowed = this.isLocked(value) ? () => false : this.#rule(range, only);
    let last;
    const row = (start, end) => {
      for (let i = start; i < end; i++) if (allowed(i)) recorder.set(i, value);
    };
    return {
      to: (place) => {
        sweep(this.grid, { from: last ?? place, to: place, radius, plane }, row);
        last = place;
        const box = recorder.takeBox();
        if (box) this.onVoxels(box);
        return box;
      },
      end: () => this.#push(value === 0 ? 'erase' : 'stroke', recorder.done()),
    };
  }

  /** Which voxels may change: not those of a locked label, and those that the brush looks for. */
  #rule(range, only) {
    const { labels, values, grid } = this;
    const locked = this.#locked;
    const free = (i) => locked[labels[i]] === 0 && (only === undefined || labels[i] === only);
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

  /** Gives `value` to the piece of one label, or of the background, that `place` lies in, within its slice. */
  fill(place, value, plane) {
    if (!inside(this.grid, place)) return false;
    const seed = indexOf(this.grid, place);
    const axes = [0, 1, 2].filter((axis) => axis !== plane);
    const from = this.labels[seed];
    return this.#edit('fill', (set) => flood(this.grid, seed, axes, (i) => this.labels[i] === from).forEach((i) => set(i, value)));
  }

  /** Removes the island of a label that `place` lies in. */
  removeIsland(place) {
    if (!inside(this.grid, place)) return false;
    const seed = indexOf(this.grid, place);
    const value = this.labels[seed];
    if (value === 0) return false;
    return this.#edit('island', (set) => flood(this.grid, seed, [0, 1, 2], (i) => this.labels[i] === value).forEach((i) => set(i, 0)));
  }

  /** Removes all of a label but its largest part. */
  keepLargest(value) {
    return this.#edit('largest', (set) =>
      islands(this.grid, this.labels, value)
        .slice(1)
        .flat()
        .forEach((i) => set(i, 0)),
    );
  }

  /** Smooths the edge of a label, by default by the largest side of a voxel. */
  smooth(value, sigma = Math.max(...this.grid.spacing) * 0.8) {
    return this.#edit('smooth', (set) =>
      smoothed(this.grid, this.labels, value, sigma, (i, gained) => {
        if (!gained) set(i, 0);
        else if (this.labels[i] === 0) set(i, value);
      }),
    );
  }

  /** Fills a label between the slices across `axis` that it was drawn in. */
  interpolate(value, axis) {
    return this.#edit('between', (set) => between(this.grid, this.labels, value, axis, (i) => this.labels[i] === 0 && set(i, value)));
  }

  // The table

  rename(index, name) {
    this.#editTable('label', edited(this.table, index, { name }));
  }

  recolor(index, color) {
    this.#editTable('label', edited(this.table, index, { color }));
  }

  /** What is shown is no edit of the mask, and not part of its history. */
  show(index, visible) {
    this.#setTable(edited(this.table, index, { visible }));
  }

  lock(index, locked) {
    this.#setTable(edited(this.table, index, { locked }));
  }

  addLabel(name) {
    const next = extended(this.table, name);
    if (next) this.#editTable('label', next);
    return next?.at(-1).index;
  }

  isLocked(index) {
    return this.#locked[index] === 1;
  }

  /** Labels, base and table as they were saved; the history begins anew. */
  restore({ labels, base, table }) {
    this.labels.set(labels);
    this.base = base;
    this.counts.fill(0);
    for (const value of labels) this.counts[value]++;
    this.#setTable(table);
    this.onVoxels(wholeBox(this.grid));
  }

  boxOf(value) {
    return boxOf(this.grid, this.labels, value);
  }

  // How changes are made

  #record() {
    return new Recorder(this.grid, this.labels, this.counts);
  }

  #edit(name, make) {
    const recorder = this.#record();
    const locked = this.#locked;
    make((index, value) => locked[this.labels[index]] === 0 && locked[value] === 0 && recorder.set(index, value));
    const change = recorder.done();
    if (change.box) this.onVoxels(change.box);
    return this.#push(name, change);
  }

  /** Whether anything changed. */
  #push(name, change) {
    if (change.bytes.length === 0) return false;
    this.history.push({ name, bytes: change.bytes.length, undo: () => this.#put(change, true), redo: () => this.#put(change, false) });
    return true;
  }

  #put(change, back) {
    const box = apply(change, this.grid, this.labels, this.counts, back);
    if (box) this.onVoxels(box);
  }

  #editTable(name, after) {
    const before = this.table;
    this.#setTable(after);
    this.history.push({ name, bytes: 200 * after.length, undo: () => this.#setTable(before), redo: () => this.#setTable(after) });
  }

  #setTable(table) {
    this.table = table;
    this.#locked.fill(0);
    for (const { index, locked } of table) this.#locked[index] = locked ? 1 : 0;
    this.onTable();
  }
}
