/** Volumes as a table. */
/** @import { LabelClass } from './index.js' */

/**
 * The volume of every label; where the volume inside the skull is known, it and the share of it behind them.
 * @param {Pick<LabelClass, 'index' | 'name' | 'voxels' | 'milliliters'>[]} classes @param {number} [intracranialMl]
 */
export function volumesCsv(classes, intracranialMl) {
  const share = (/** @type {number} */ volume) =>
    intracranialMl ? [intracranialMl.toFixed(4), ((1000 * volume) / intracranialMl).toFixed(6)] : [];
  const head = [
    'index',
    'name',
    'voxels',
    'milliliters',
    ...(intracranialMl ? ['intracranial_milliliters', 'permille_of_intracranial'] : []),
  ];
  const rows = classes.map(({ index, name, voxels, milliliters }) => [
    index,
    quoted(name),
    voxels,
    milliliters.toFixed(4),
    ...share(milliliters),
  ]);
  return [head, ...rows].map((row) => `${row.join(',')}\n`).join('');
}

/** A field, in quotation marks where it needs them. @param {string} text */
const quoted = (text) => (/[,"\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
