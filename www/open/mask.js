/** A person's own mask, of this program, of 3D Slicer or of any other, laid over the open image and corrected like any mask. */
/** @import { Editor } from '../edit/editor.js' */
/** @import { LabelMap } from './lattice.js' */
import { bytesOf } from '../bytes.js';
import { toFile } from '../edit/grid.js';
import { pageError } from '../errors.js';
import { clearError, fail, withName } from '../failures.js';
import { number, t } from '../i18n.js';
import { state } from '../state.js';
import { engine, segment } from '../workflow.js';
import { OffLattice, ontoGrid } from './lattice.js';
import { isNrrd, NrrdFault, readNrrd } from './nrrd.js';

/** Above it a byte has no value for a label; 255 is "not annotated" wherever masks are taught. */
const MOST = 254;

/** Lays a mask over the open image, where their headers put both; an image without a mask is segmented first. @param {File} file */
export async function importMask(file) {
  if (!state.current) return fail(pageError('argument', t('maskNoImage', { name: file.name })));
  if (state.isBusy) return state.announce(t('busy'));
  clearError();
  try {
    const map = await readMask(file);
    if (!state.editor) await segment();
    if (!state.editor) return;
    lay(state.editor, map, file.name);
    state.emit('touched', undefined);
  } catch (thrown) {
    fail(withName(inWords(thrown, file.name), file.name));
  }
}

/** @param {Editor} editor @param {LabelMap} map @param {string} name */
function lay(editor, map, name) {
  const { labels, outside } = ontoGrid(editor.grid, map);
  if (outside > 0) throw pageError('argument', t('maskOutside', { name, count: outside }));
  const before = editor.labels.slice();
  editor.importMask(toFile(editor.grid, labels), map.classes);
  const dice = editor.table.flatMap(({ index, name: label }) => {
    const value = diceOf(before, editor.labels, index);
    return value === null ? [] : [`${label} ${number(value)}`];
  });
  state.announce(t('maskImported', { name, dice: dice.join('; ') || '–' }));
}

/** Of two masks; null where neither has the label. @param {Uint8Array} a @param {Uint8Array} b @param {number} label */
function diceOf(a, b, label) {
  let [both, sum] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [inA, inB] = [a[i] === label, b[i] === label];
    both += inA && inB ? 1 : 0;
    sum += (inA ? 1 : 0) + (inB ? 1 : 0);
  }
  return sum === 0 ? null : Math.round((2000 * both) / sum) / 1000;
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
  if (thrown instanceof NrrdFault) {
    const { field, found, expected, values } = thrown;
    return pageError('malformed', t('maskNrrd', { name, field, found, expected: t(expected, values) }));
  }
  return thrown;
}
