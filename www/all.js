/** All open volumes at once: segmented one after the other, their volumes in one table, their files in one zip. */
/** @import { MaskedCase, PageError } from './types.js' */
import { millilitersPerVoxel } from './edit/grid.js';
import { pageError } from './errors.js';
import { zipped } from './export/bundle.js';
import { volumesCsv } from './export/mask.js';
import { exportsOf } from './export.js';
import { fail } from './failures.js';
import { save } from './files.js';
import { t } from './i18n.js';
import { fileNameOf, titleOf } from './open/names.js';
import { hasMask, state } from './state.js';
import { open, segment } from './workflow.js';

/** Those that a run over all would segment. */
export const unsegmented = () => state.cases.filter((one) => !hasMask(one) && !one.saved && !one.isBroken);

/** Those that have a mask; of the last visit those that were opened since. */
export const segmented = () => state.cases.filter(hasMask);

/** What the page said last of what went wrong. @type {PageError | null} */
let problem = null;
let isCancelled = false;

export function setUpAll() {
  state.on('error', (error) => (problem = error));
}

/** Ends the run over all after the volume under way. */
export function cancelAll() {
  isCancelled = true;
}

/** Segments every open volume that has no mask yet. One that fails is named, and keeps the others from nothing. */
export async function segmentAll() {
  if (state.isBusy) return state.announce(t('busy'));
  isCancelled = false;
  const waiting = unsegmented();
  /** @type {string[]} */
  const failures = [];
  let done = 0;
  for (const one of waiting) {
    if (isCancelled) break;
    state.emit('all', { done: done++, total: waiting.length });
    // Files that were dropped meanwhile come first.
    while (state.isBusy) await new Promise((resolve) => setTimeout(resolve, 200));
    if (!state.cases.includes(one)) continue;
    problem = null;
    const outcome = one === state.current || (await open(one)) ? await segment() : 'failed';
    if (outcome === 'cancelled') isCancelled = true;
    if (outcome === 'failed') failures.push(problem ? /** @type {PageError} */ (problem).message : titleOf(one));
  }
  state.emit('all', null);
  if (failures.length > 0) fail(pageError('argument', t('allFailed', { count: failures.length, reasons: failures.join(' ') })), 'segment');
  const counts = { count: segmented().length, left: unsegmented().length };
  if (isCancelled) state.announce(t('allCancelled', counts), 'segment');
  else if (failures.length === 0) state.announce(t('allDone', counts), 'segment');
}

/**
 * Volumes in mL: of each open volume its labels by their names, and what is inside the skull where that is known of any; of each
 * the mean and the standard deviation over volumes.
 * @param {readonly MaskedCase[]} cases
 */
export function volumesOf(cases) {
  const rows = cases.map((one) => {
    const { grid, table, counts } = one.editor;
    /** @type {Map<string, number>} */
    const volumes = new Map();
    for (const { index, name } of table) volumes.set(name, (volumes.get(name) ?? 0) + counts[index] * millilitersPerVoxel(grid));
    return { one, volumes, intracranialMl: one.result.intracranialMl, warnings: one.result.warnings };
  });
  const names = [...new Set(rows.flatMap(({ volumes }) => [...volumes.keys()]))];
  const summary = names.map((name) => meanAndSd(rows.flatMap(({ volumes }) => volumes.get(name) ?? [])));
  const skulls = rows.flatMap(({ intracranialMl }) => intracranialMl ?? []);
  return { rows, names, summary, skull: skulls.length > 0 ? meanAndSd(skulls) : null };
}

/** @param {number[]} values */
function meanAndSd(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, sd: values.length > 1 ? Math.sqrt(variance) : null };
}

/** The volumes of all, a row a label, each with the name of its file. @param {readonly MaskedCase[]} cases */
export function csvOfAll(cases) {
  // A crop has no volume inside the skull; beside a head its row has the same columns.
  const unknown = cases.some(({ result }) => result.intracranialMl !== undefined) ? null : undefined;
  const quoted = (/** @type {string} */ text) => `"${text.replaceAll('"', '""')}"`;
  const lines = cases.flatMap((one, i) => {
    const { editor, result } = one;
    const skull = result.intracranialMl ?? unknown;
    const csv = volumesCsv(editor.table, (index) => editor.counts[index], millilitersPerVoxel(editor.grid), skull);
    const [head, ...rows] = csv.trimEnd().split('\n');
    const own = rows.map((row) => `${quoted(fileNameOf(one))},${row}`);
    return i === 0 ? [`file,${head}`, ...own] : own;
  });
  return `${lines.join('\n')}\n`;
}

/** Saves the table of all as CSV. */
export function downloadTable() {
  save(csvOfAll(segmented()), 'volumes.csv', 'text/csv');
}

/** Saves the files of all as one zip, a folder each. */
export async function downloadAll() {
  const files = [{ name: 'volumes.csv', bytes: new TextEncoder().encode(csvOfAll(segmented())) }];
  for (const one of segmented())
    for (const { folder, name, bytes } of await exportsOf(one)) files.push({ name: `${folder}/${name}`, bytes });
  save(zipped(files), 'insitu.zip', 'application/zip');
}
