/** A person's own mask, of this program, of 3D Slicer or of any other, laid over the open image and corrected like any mask. */
/** @import { Editor } from '../edit/editor.js' */
/** @import { LabelMap } from './lattice.js' */
import { bytesOf } from '../bytes.js';
import { rememberBefore } from '../difference.js';
import { toFile } from '../edit/grid.js';
import { engine } from '../engine.js';
import { pageError } from '../errors.js';
import { clearError, fail, withName } from '../failures.js';
import { number, t } from '../i18n.js';
import { state } from '../state.js';
import { segment } from '../workflow.js';
import { OffLattice, ontoGrid } from './lattice.js';
import { listed } from './names.js';
import { isNrrd, readNrrd } from './nrrd.js';
import { nrrdInWords } from './nrrd-files.js';

/** Above it a byte has no value for a label; 255 is "not annotated" wherever masks are taught. */
const MOST = 254;

/** Lays a mask over the open image, where their headers put both; an image without a mask is segmented first. @param {File} file */
export async function importMask(file) {
  if (!state.current) return fail(pageError('argument', t('maskNoImage', { name: file.name })), 'image');
  if (state.isBusy) return state.announce(t('busy'));
  clearError();
  try {
    const map = await readMask(file);
    if (!state.editor) await segment();
    // Cancelled, or it failed, which is said already.
    if (!state.editor) return state.announce(t('maskNotLaid', { name: file.name }), 'image');
    lay(state.editor, map, file.name);
    state.emit('touched', undefined);
  } catch (thrown) {
    fail(withName(inWords(thrown, file.name), file.name), 'image');
  }
}

/** @param {Editor} editor @param {LabelMap} map @param {string} name */
function lay(editor, map, name) {
  const { labels, outside } = ontoGrid(editor.grid, map);
  if (outside > 0) throw pageError('argument', t('maskOutside', { name, count: outside }));
  const values = new Set(editor.table.map(({ index }) => index));
  const before = { labels: editor.labels.slice(), counts: editor.counts.slice(), values };
  if (editor.importMask(toFile(editor.grid, labels), map.classes)) rememberBefore(editor, before.labels);
  const common = new Float64Array(256);
  for (let i = 0; i < before.labels.length; i++) if (before.labels[i] === editor.labels[i]) common[editor.labels[i]]++;
  const dice = editor.table.flatMap(({ index, name: label }) => {
    const sum = before.counts[index] + editor.counts[index];
    return sum === 0 || !before.values.has(index) ? [] : [`${label} ${number(Math.round((2000 * common[index]) / sum) / 1000)}`];
  });
  const own = editor.table.filter(({ index }) => !before.values.has(index)).map(({ name: label }) => label);
  const words = [
    t('maskImported', { name, dice: dice.join('; ') || '–' }),
    ...(own.length > 0 ? [t('maskOwn', { names: listed(own) })] : []),
  ];
  state.announce(words.join(' '), 'image');
}

/** @param {File} file @returns {Promise<LabelMap>} */
async function readMask(file) {
  const begin = await bytesOf(file.slice(0, 4));
  const map = isNrrd(begin) ? await readNrrd(await bytesOf(file)) : { ...(await engine().read(file)), classes: [] };
  for (let i = 0; i < map.values.length; i++) {
    const value = map.values[i];
    if (!(Number.isInteger(value) && value >= 0 && value <= MOST))
      throw pageError('malformed', t('maskValues', { name: file.name, value: number(value) }));
  }
  return map;
}

/** @param {unknown} thrown @param {string} name */
function inWords(thrown, name) {
  if (thrown instanceof OffLattice) return pageError('argument', t('maskOff', { name, voxels: number(thrown.voxels) }));
  return nrrdInWords(thrown, name, 'maskNrrd');
}
