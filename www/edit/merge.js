/**
 * How labels that come from elsewhere join those that are there: the mask of a run, of one object of it, or of a file. Two structures never
 * share a value, nor does one keep voxels under another's name.
 */
/** @import { Edit, Segmentation } from './segmentation.js' */
/** @import { Label, LabelClass } from './table.js' */

import { freeValue, labelOf } from './table.js';

/**
 * The mask of a run. Locked labels stay as they are, and so do voxels for which `keep(index)` holds. With `only`, the run was of these
 * labels: they are where it says, and voxels of all others stay, with what a person made of them.
 * Labels that are `gone`, as those of the other side of the body, leave the table where no voxel of them stays.
 * @param {Segmentation} into @param {Edit} edit @param {Uint8Array} mask in the order of the grid @param {readonly LabelClass[]} classes
 * @param {{ keep?: (index: number) => boolean, only?: readonly number[], gone?: readonly number[] }} [options]
 */
export function mergeRun(into, edit, mask, classes, { keep = () => false, only, gone = [] } = {}) {
  const { labels, base } = into;
  const { targetOf, moved } = makeRoom(into, edit, classes);
  const isOther = new Uint8Array(256).fill(only ? 1 : 0);
  for (const value of [0, ...(only ?? [])]) isOther[value] = 0;
  for (let i = 0; i < mask.length; i++) {
    const [next, now] = [mask[i], labels[i]];
    // Most of a head: nothing before, nothing now.
    if ((next | now | base[i]) === 0) continue;
    const others = isOther[base[i]] === 1;
    // What a person erased from another object stays erased; what they painted there of this one does not outlive its run.
    const stays = isOther[now] === 1 || (others && now === 0) || keep(i);
    if (!others) edit.setBase(i, next);
    const here = targetOf[now];
    // Where a locked label may not grow, what was there before the run is no more than it.
    const wanted = into.isLocked(next) ? 0 : next;
    edit.move(i, stays || into.isLocked(here) ? here : wanted);
  }
  edit.show();
  for (const index of new Set([...moved, ...gone])) {
    const row = into.table.find((one) => one.index === index);
    const isLeft = row && (into.counts[index] > 0 || row.className === null || row.locked);
    if (row && !isLeft) edit.row({ kind: 'remove', at: into.table.indexOf(row), row });
  }
}

/**
 * Lists the classes of a run. A row that is one of them gets its value, with what a person has named or hidden of it; a row that has the
 * value of one and is another structure, as a person's own label or that of another model, moves to a free value.
 * @param {Segmentation} into @param {Edit} edit @param {readonly LabelClass[]} classes
 * @returns {{ targetOf: Uint8Array, moved: number[] }} value -> where its voxels belong now; and the new values of other structures
 */
function makeRoom(into, edit, classes) {
  const targetOf = IDENTITY.slice();
  const wanted = classes.filter(({ index }) => index !== 0);
  const isWanted = new Set(wanted.map(({ index }) => index));
  const known = new Map(wanted.map((one) => [one, into.table.find((row) => isSame(row, one))]));
  const taken = new Set(isWanted);
  const free = (/** @type {number} */ index) => freeValue((value) => taken.has(value) || isTaken(into, value)) ?? index;
  const moves = into.table.flatMap((row) => {
    const [one] = [...known].find(([, same]) => same === row) ?? [];
    if (one ? one.index === row.index : !isWanted.has(row.index)) return [];
    const index = one?.index ?? free(row.index);
    taken.add(index);
    targetOf[row.index] = index;
    return [{ row, index, isOther: !one }];
  });
  for (const { row } of moves) edit.row({ kind: 'remove', at: into.table.indexOf(row), row });
  for (const { row, index } of moves) if (!into.isListed(index)) edit.row({ kind: 'add', at: into.table.length, row: { ...row, index } });
  for (const [one, row] of known)
    if (!row && !into.isListed(one.index)) edit.row({ kind: 'add', at: into.table.length, row: labelOf(one) });
  return { targetOf, moved: moves.filter(({ isOther }) => isOther).map(({ index }) => index) };
}

const IDENTITY = Uint8Array.from({ length: 256 }, (_, value) => value);

/** @param {Label} row @param {LabelClass} one */
const isSame = ({ index, className }, one) => (className === undefined ? index === one.index : className === one.name);

/** Whether a value stands for a structure: in the table, in the mask, or in that of the last run. @param {Segmentation} into @param {number} value */
export const isTaken = (into, value) => into.isListed(value) || into.counts[value] > 0 || into.baseCounts[value] > 0;

/**
 * The mask of a file in the place of what is there. A label of the same name is the same, whatever its case and what is between its words,
 * as is one of the same value where the file has no name for it; any other gets a value of its own. Locked labels stay, and the mask of the last run is not touched: what differs from it is
 * the person's.
 * @param {Segmentation} into @param {Edit} edit @param {Uint8Array} mask in the order of the grid @param {readonly LabelClass[]} classes
 */
export function mergeMask(into, edit, mask, classes) {
  const targetOf = new Uint8Array(256);
  const isIn = new Uint8Array(256);
  for (const value of mask) isIn[value] = 1;
  const found = [...isIn.keys()].filter((value) => value > 0 && isIn[value] === 1);
  const known = sameRows(into.table, found, classes);
  for (const index of found) {
    const one = classes.find((named) => named.index === index);
    const same = known.get(index);
    const isFree = index < 255 && !isTaken(into, index);
    const value = same?.index ?? (isFree ? index : freeValue((v) => isTaken(into, v)));
    if (value === undefined) continue;
    targetOf[index] = value;
    if (!same) edit.row({ kind: 'add', at: into.table.length, row: one ? labelOf({ ...one, index: value }, null) : into.newRow(value) });
  }
  for (let i = 0; i < mask.length; i++) edit.set(i, targetOf[mask[i]]);
}

/**
 * The row that each value of a file stands for, where there is one. Each row is taken once, first by those who have its very name.
 * @param {readonly Label[]} table @param {readonly number[]} values @param {readonly LabelClass[]} classes @returns {Map<number, Label>}
 */
function sameRows(table, values, classes) {
  const left = new Set(table);
  /** @type {Map<number, Label>} */
  const known = new Map();
  const names = (/** @type {number} */ value) => classes.find(({ index }) => index === value)?.name;
  /** @type {((row: Label, value: number, name: string | undefined) => boolean)[]} */
  const ways = [
    (row, value, name) => (name === undefined ? row.index === value : row.name === name),
    (row, _, name) => name !== undefined && plain(row.name) === plain(name),
    // What a person called otherwise is still what the model calls so.
    (row, _, name) => name !== undefined && typeof row.className === 'string' && plain(row.className) === plain(name),
  ];
  for (const isSame of ways) {
    for (const value of values) {
      const row = known.has(value) ? undefined : [...left].find((one) => isSame(one, value, names(value)));
      if (!row) continue;
      known.set(value, row);
      left.delete(row);
    }
  }
  return known;
}

/** A name without its case, and with whatever stands between its words as a space. @param {string} name */
const plain = (name) =>
  name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/[\s_-]+/g, ' ')
    .trim()
    .toLowerCase();
