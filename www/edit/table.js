/**
 * The table of labels: name, colour, whether it is shown, whether it is locked. Value 0 is the background and is not in it.
 * It changes by rows that are put in, taken out or edited, each with its way back. What is shown and what is locked are no part of
 * that way: they stay as a person has set them last, whatever is undone.
 */

/** Okabe and Ito's colours, told apart under every common colour blindness. */
export const COLORS = ['#e69f00', '#56b4e9', '#009e73', '#f0e442', '#0072b2', '#d55e00', '#cc79a7'];

/**
 * `className`: of the model's class that the label is, whatever a person calls it; null for a label that a person has added.
 * A table that was kept by an earlier version has none.
 * @typedef {{ index: number, name: string, color: string, visible: boolean, locked: boolean, className?: string | null }} Label
 */

/** @typedef {{ index: number, name: string, color: string }} LabelClass a label as a model or a file names it */

/**
 * One row put in or taken out at a position, or edited.
 * @typedef {{ kind: 'add' | 'remove', at: number, row: Label }} RowMove
 * @typedef {{ kind: 'edit', index: number, before: Partial<Label>, after: Partial<Label> }} RowEdit
 * @typedef {RowMove | RowEdit} RowChange
 */

/** @param {LabelClass} one @param {string | null} [className] @returns {Label} */
export const labelOf = ({ index, name, color }, className = name) => ({ index, name, color, visible: true, locked: false, className });

/** The table with one field of one label changed. @param {Label[]} table @param {number} index @param {Partial<Label>} change */
export const edited = (table, index, change) => table.map((row) => (row.index === index ? { ...row, ...change } : row));

/**
 * The table after a change, or with `back` before it. A row that goes is kept in the change as it stands, so that it comes back shown
 * and locked as it was.
 * @param {Label[]} table @param {RowChange} change @param {boolean} [back] @returns {Label[]}
 */
export function changedTable(table, change, back = false) {
  if (change.kind === 'edit') return edited(table, change.index, back ? change.before : change.after);
  const { at, row } = change;
  if ((change.kind === 'add') !== back) return table.toSpliced(at, 0, row);
  change.row = table.find(({ index }) => index === row.index) ?? row;
  return table.filter(({ index }) => index !== row.index);
}

/** The first value of a label that is not taken, or undefined where all 254 are: 255 stands for "unknown". @param {(value: number) => boolean} isTaken */
export function freeValue(isTaken) {
  for (let value = 1; value < 255; value++) if (!isTaken(value)) return value;
  return undefined;
}

/** The first colour that is in no row. @param {Label[]} table @param {number} index */
export function freeColor(table, index) {
  const colors = new Set(table.map(({ color }) => color.toLowerCase()));
  return COLORS.find((one) => !colors.has(one)) ?? COLORS[index % COLORS.length];
}
