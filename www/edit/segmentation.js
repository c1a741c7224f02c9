/**
 * A segmentation under correction, as one state: voxels, table, locks, what is shown, volumes, and the history that changes them
 * together. After every call, and between two moves of a pen, it holds that
 *
 *   - `counts[value]` is the number of voxels of `value`,
 *   - every value in `labels` has a row in `table`,
 *   - undoing and doing again give the states that there were, voxel by voxel and row by row, while what is locked or shown stays.
 *
 * Knows no page and no viewer; who draws hears of the box that changed.
 */
/** @import { Change } from './change.js' */
/** @import { Box, Grid, Labels } from './grid.js' */
/** @import { EditName } from './history.js' */
/** @import { Label, RowChange } from './table.js' */

import { apply, Recorder } from './change.js';
import { wholeBox } from './grid.js';
import { History } from './history.js';
import { changedTable, edited, freeColor, labelOf } from './table.js';

/** What a row of the table takes in the history, in bytes. */
const ROW_BYTES = 200;

/**
 * @typedef {object} SegmentationOptions
 * @property {History} [history]
 * @property {(box: Box) => void} [onVoxels]
 * @property {() => void} [onTable]
 * @property {(index: number) => string} [nameOf] how a label is called that is painted and has no name yet
 */

export class Segmentation {
  /** @type {Label[]} */
  table = [];
  /** Another number after every change of voxels or table. */
  version = 0;
  /** Voxels of each value. */
  counts = new Float64Array(256);
  /** Voxels of each value in the mask of the last run. */
  baseCounts = new Float64Array(256);
  #locked = new Uint8Array(256);
  #listed = new Uint8Array(256);

  /** @param {Grid} grid @param {SegmentationOptions} [options] */
  constructor(grid, { history = new History(), onVoxels = () => {}, onTable = () => {}, nameOf = (index) => `Label ${index}` } = {}) {
    this.grid = grid;
    this.history = history;
    this.onVoxels = onVoxels;
    this.onTable = onTable;
    this.nameOf = nameOf;
    /** @type {Labels} */
    this.labels = new Uint8Array(grid.count);
    /** The mask of the last run, before any hand: what differs from it is the person's. @type {Labels} */
    this.base = new Uint8Array(grid.count);
    this.counts[0] = this.baseCounts[0] = grid.count;
  }

  /** Whether a label neither gains nor loses voxels. @param {number} index */
  isLocked(index) {
    return this.#locked[index] === 1;
  }

  /** Whether a label is in the table, as the background always is. @param {number} index */
  isListed(index) {
    return index === 0 || this.#listed[index] === 1;
  }

  /** Whether a person changed this voxel since the last run. @param {number} index */
  corrected(index) {
    return this.labels[index] !== this.base[index];
  }

  /** What is shown is no edit of the mask, and not part of its history. @param {number} index @param {boolean} visible */
  show(index, visible) {
    this.#setTable(edited(this.table, index, { visible }));
  }

  /** No part of the history either: undo gives back voxels of a label that is locked by now. @param {number} index @param {boolean} locked */
  lock(index, locked) {
    this.#setTable(edited(this.table, index, { locked }));
  }

  /**
   * Makes one entry of the history of what `make` changes; whether it changed anything. What is open is closed first.
   * @param {EditName} name @param {(edit: Edit) => void} make
   * @param {{ always?: boolean, also?: (back: boolean) => void }} [options] `always`: an entry even where nothing changed; `also`: called
   *   when it is undone, and when it is done again
   */
  edit(name, make, options) {
    this.history.close();
    const edit = new Edit(this, name, options);
    make(edit);
    return edit.commit();
  }

  /**
   * Labels, base and table as they were saved; the history begins anew.
   * @param {{ labels: Labels, base: Labels, table: Label[] }} saved
   */
  restore({ labels, base, table }) {
    if (this.history.depth > 0) this.history.clear();
    this.labels.set(labels);
    this.base.set(base);
    for (const [values, counts] of /** @type {const} */ ([
      [this.labels, this.counts],
      [this.base, this.baseCounts],
    ])) {
      counts.fill(0);
      for (const value of values) counts[value]++;
    }
    const known = new Set(table.map(({ index }) => index));
    const unlisted = [...this.counts.keys()].filter((value) => value > 0 && this.counts[value] > 0 && !known.has(value));
    let rows = [...table];
    for (const index of unlisted) rows = [...rows, this.newRow(index, rows)];
    this.#setTable(rows);
    this.voxelsChanged(wholeBox(this.grid));
  }

  /** A row for a label that has none, of a person's own. @param {number} index @param {Label[]} [table] @param {string} [name] */
  newRow(index, table = this.table, name = this.nameOf(index)) {
    return labelOf({ index, name, color: freeColor(table, index) }, null);
  }

  /** Takes rows in, and says nothing of it yet. @param {readonly RowChange[]} changes @param {boolean} [back] in their order, undone from the last on */
  changeRows(changes, back) {
    const table = (back ? changes.toReversed() : changes).reduce((rows, change) => changedTable(rows, change, back), this.table);
    this.#takeTable(table);
  }

  tableChanged() {
    this.version++;
    this.onTable();
  }

  /** @param {Box} box */
  voxelsChanged(box) {
    this.version++;
    this.onVoxels(box);
  }

  /** @param {Label[]} table */
  #setTable(table) {
    this.#takeTable(table);
    this.tableChanged();
  }

  /** @param {Label[]} table */
  #takeTable(table) {
    this.table = table;
    this.#locked.fill(0);
    this.#listed.fill(0);
    for (const { index, locked } of table) {
      this.#locked[index] = locked ? 1 : 0;
      this.#listed[index] = 1;
    }
  }
}

/** What becomes one entry of the history. Every change of voxels and rows goes through here. */
export class Edit {
  #of;
  #name;
  #options;
  #voxels;
  /** @type {Recorder | null} of what a run said; other edits have none */
  #base = null;
  /** @type {RowChange[]} */
  #rows = [];
  /** Rows that have been shown. */
  #shown = 0;

  /** @param {Segmentation} of @param {EditName} name @param {{ always?: boolean, also?: (back: boolean) => void }} [options] */
  constructor(of, name, options = {}) {
    this.#of = of;
    this.#name = name;
    this.#options = options;
    this.#voxels = new Recorder(of.grid, of.labels, of.counts);
  }

  /** Gives a voxel a value, which gets a row where it has none; not where a label is locked. @param {number} index @param {number} value */
  set(index, value) {
    const of = this.#of;
    if (!of.isLocked(of.labels[index]) && !of.isLocked(value)) this.move(index, value);
  }

  /** The same whatever is locked. @param {number} index @param {number} value */
  move(index, value) {
    const of = this.#of;
    if (of.labels[index] === value) return;
    if (!of.isListed(value)) this.row({ kind: 'add', at: of.table.length, row: of.newRow(value) });
    this.#voxels.set(index, value);
  }

  /** What a run said of a voxel. @param {number} index @param {number} value */
  setBase(index, value) {
    const of = this.#of;
    this.#base ??= new Recorder(of.grid, of.base, of.baseCounts);
    this.#base.set(index, value);
  }

  /** @param {RowChange} change */
  row(change) {
    this.#rows.push(change);
    this.#of.changeRows([change]);
  }

  /** Shows what has changed since it was asked last: the box, or null. */
  show() {
    const box = this.#voxels.drainBox();
    const rows = this.#rows.length;
    if (rows > this.#shown) this.#of.tableChanged();
    this.#shown = rows;
    if (box) this.#of.voxelsChanged(box);
    return box;
  }

  /** Puts it into the history; whether anything changed. */
  commit() {
    this.show();
    const { history } = this.#of;
    const [voxels, base] = [this.#voxels.done(), this.#base?.done() ?? null];
    const bytes = voxels.bytes.length + (base?.bytes.length ?? 0) + ROW_BYTES * this.#rows.length;
    if (bytes === 0 && !this.#options.always) return false;
    const put = (/** @type {boolean} */ back) => this.#put(voxels, base, back);
    history.push({ name: this.#name, bytes, undo: () => put(true), redo: () => put(false) });
    return true;
  }

  /** @param {Change} voxels @param {Change | null} base @param {boolean} back */
  #put(voxels, base, back) {
    const of = this.#of;
    if (base) apply(base, of.grid, of.base, of.baseCounts, back);
    const box = apply(voxels, of.grid, of.labels, of.counts, back);
    of.changeRows(this.#rows, back);
    // Who listens looks at voxels and table together: both have changed before it hears of either.
    if (this.#rows.length > 0) of.tableChanged();
    if (box) of.voxelsChanged(box);
    this.#options.also?.(back);
  }
}
