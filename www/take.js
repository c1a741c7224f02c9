/** Files that come in: images opened and listed, DICOM converted and its series offered. */
import { InsituError } from 'insitu-seg';
import { desk } from './desk.js';
import { isDicom, seriesOf } from './dicom.js';
import { $, element } from './element.js';
import { imagesOf } from './pair.js';
import * as panel from './panel.js';
import { say } from './words.js';
import * as work from './work.js';

let nextId = 1;

export const newCase = ({ name, title, input, isSample }) => ({
  id: `${Date.now().toString(36)}-${nextId++}`,
  name,
  title,
  input,
  isSample,
  checked: new Set(),
});

export async function takeFiles(files) {
  if (!desk.segmenter || panel.isBusy()) return;
  panel.clearError();
  const dicom = (await Promise.all(files.map(async (file) => ((await isDicom(file)) ? file : null)))).filter(Boolean);
  if (dicom.length > 0) return takeDicom(dicom);
  const { images, refusals, skipped } = imagesOf(files);
  const fresh = images.map(newCase);
  const opened = fresh.length > 0 && (await work.open(fresh[0]));
  if (opened) {
    desk.cases = desk.cases.filter((one) => !one.isSample || one.editor);
    desk.cases.push(...fresh.slice(1));
    work.showCases();
    if (skipped > 0) panel.tell(say('skipped', { count: skipped }));
  }
  if (refusals.length === 0) return;
  const sentence = refusals.map(({ message }) => message).join(' ');
  if (opened) panel.showError(sentence);
  else work.fail(new InsituError('argument', sentence));
}

/** Series to choose from, the largest 3-D one first; a single one is opened at once. */
async function takeDicom(files) {
  $('dicom').hidden = false;
  $('dicom-pick').hidden = true;
  $('dicom-said').textContent = say('dicomReading', { count: files.length });
  try {
    const series = await seriesOf(files);
    if (series.length === 0) throw new InsituError('unsupported', say('dicomNone', { count: files.length }));
    $('dicom-said').textContent = say('dicomPick', { count: series.length });
    $('dicom-series').replaceChildren(
      ...series.map(({ name, dims }, i) => element('option', { value: i }, `${name} (${dims.join(' × ')})`)),
    );
    const choose = () => openSeries(series[$('dicom-series').value || 0]);
    $('dicom-open').onclick = choose;
    $('dicom-pick').hidden = series.length === 1;
    if (series.length === 1) await choose();
    else $('dicom-series').focus();
  } catch (thrown) {
    $('dicom').hidden = true;
    work.fail(
      thrown instanceof InsituError
        ? thrown
        : new InsituError('unsupported', say('dicomFailed', { reason: thrown.message.replace(/\.$/, '') })),
    );
  }
}

async function openSeries({ name, file }) {
  const done = await work.open(newCase({ name, title: name, input: file }));
  if (done) desk.cases = desk.cases.filter((one) => !one.isSample || one.editor);
  work.showCases();
}
