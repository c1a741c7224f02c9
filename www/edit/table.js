/** The table of labels: name, colour, whether it is shown, whether it is locked. Value 0 is the background and is not in it. */

/** Okabe and Ito's colours, told apart under every common colour blindness. */
export const COLORS = ['#e69f00', '#56b4e9', '#009e73', '#f0e442', '#0072b2', '#d55e00', '#cc79a7'];

/** @typedef {{ index: number, name: string, color: string, visible: boolean, locked: boolean }} Label */

/** @param {{ index: number, name: string, color: string }[]} classes @returns {Label[]} */
export const tableOf = (classes) =>
  classes.filter(({ index }) => index !== 0).map(({ index, name, color }) => ({ index, name, color, visible: true, locked: false }));

/** The table with one field of one label changed. @param {Label[]} table @param {number} index @param {Partial<Label>} change */
export const edited = (table, index, change) => table.map((row) => (row.index === index ? { ...row, ...change } : row));

/**
 * The table with a label more, of the first free value and the first colour that is not taken; null where 254 are in use.
 * @param {Label[]} table @param {(index: number) => string} name
 */
export function extended(table, name) {
  const used = new Set(table.map(({ index }) => index));
  const index = Array.from({ length: 254 }, (_, i) => i + 1).find((value) => !used.has(value));
  if (index === undefined) return null;
  const colors = new Set(table.map(({ color }) => color.toLowerCase()));
  const color = COLORS.find((one) => !colors.has(one)) ?? COLORS[index % COLORS.length];
  return [...table, { index, name: name(index), color, visible: true, locked: false }];
}
