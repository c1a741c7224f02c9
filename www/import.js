/** Files that come in: images opened and listed, DICOM converted and its series offered. */
/** @import { Case, DicomSeries } from './types.js' */
import { InsituError } from 'insitu-seg';
import { isDicom, seriesOf } from './dicom.js';
import { messageOf, pageError } from './errors.js';
import { t } from './i18n.js';
import { imagesOf } from './pair.js';
import { state } from './state.js';
import { clearError, fail, open } from './workflow.js';

let nextId = 1;

/** @param {Pick<Case, 'name' | 'title' | 'input' | 'isSample'>} image @returns {Case} */
export const newCase = (image) => ({ ...image, id: `${Date.now().toString(36)}-${nextId++}`, checked: new Set() });

/** The sample gives way to a person's own images, unless something was made of it. */
const withoutSample = () => state.cases.filter((one) => !one.isSample || one.editor);

/** @param {File[]} files */
export async function importFiles(files) {
  if (!state.segmenter || state.isBusy) return;
  clearError();
  const areDicom = await Promise.all(files.map(isDicom));
  const dicom = files.filter((_, i) => areDicom[i]);
  if (dicom.length > 0) return importDicom(dicom);
  const { images, refusals, skipped } = imagesOf(files);
  const fresh = images.map(newCase);
  const opened = fresh.length > 0 && (await open(fresh[0]));
  if (opened) {
    state.cases = [...withoutSample(), ...fresh.slice(1)];
    if (skipped > 0) state.announce(t('skipped', { count: skipped }));
  }
  if (refusals.length === 0) return;
  const message = refusals.map((refusal) => refusal.message).join(' ');
  if (opened) state.emit('error', { message, isPages: true });
  else fail(pageError('argument', message));
}

/** Series to choose from, the largest 3-D one first; a single one is opened at once. @param {File[]} files */
async function importDicom(files) {
  state.emit('dicom', { reading: files.length });
  try {
    const series = await seriesOf(files);
    if (series.length === 0) throw pageError('unsupported', t('dicomNone', { count: files.length }));
    state.emit('dicom', { series });
    if (series.length === 1) await openSeries(series[0]);
  } catch (thrown) {
    state.emit('dicom', null);
    const known = thrown instanceof InsituError;
    fail(known ? thrown : pageError('unsupported', t('dicomFailed', { reason: messageOf(thrown).replace(/\.$/, '') })));
  }
}

/** @param {DicomSeries} series */
export async function openSeries({ name, file }) {
  if (await open(newCase({ name, title: name, input: file }))) state.cases = withoutSample();
}
