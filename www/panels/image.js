/** The open image with the checks of its file, the other open volumes, DICOM series to choose from, and whether the model fits it. */
/** @import { Comparison } from '../open/compatibility.js' */
/** @import { SampleName } from '../open/samples.js' */
/** @import { Case, DicomSeries, DicomState, Several, VolumeInfo } from '../types.js' */
import { close, lastClosed, reopen } from '../cases.js';
import { ONE_SLICE, warningInWords } from '../dicom/warnings.js';
import { $, button, details, element, input, onClick } from '../dom.js';
import { fail } from '../failures.js';
import { onPicked } from '../files.js';
import { number, t } from '../i18n.js';
import { compareWith } from '../open/compatibility.js';
import { openSeries, openVolume } from '../open/import.js';
import { importMask } from '../open/mask.js';
import { titleOf } from '../open/names.js';
import { tellApart } from '../open/paths.js';
import { fetchSample, SAMPLE_NAMES, SAMPLES, sampleOf } from '../open/samples.js';
import { phaseOf, state } from '../state.js';
import { open } from '../workflow.js';
import { showChecks } from './checks.js';
import { listSentences } from './words.js';

export function setUpImage() {
  state.on('opened', (one) => {
    if (!one.info) return;
    showImage(one, one.info);
    listWarnings($('file-notes'), one.converted?.warnings ?? []);
    if (state.segmenter && one.field) showComparison(compareWith(state.segmenter.model, one.info, one.field));
  });
  state.on('cases', showCases);
  state.on('dicom', showDicom);
  state.on('several', offerVolumes);
  onClick('reopen', reopen);
  for (const name of SAMPLE_NAMES) onClick(`sample-${name}`, () => openSample(name));
  onClick('import-mask', () => input('mask').click());
  onPicked('mask', ([file]) => file && importMask(file));
}

/** The one that is open already, with what was made of it, or else fetched now. @param {SampleName} which */
async function openSample(which) {
  try {
    await open(state.cases.find((one) => sampleOf(one) === which) ?? (await fetchSample(which)));
  } catch (thrown) {
    fail(thrown, 'image');
  }
}

/** @param {Case} one @param {VolumeInfo} info */
function showImage(one, { dims, spacing_mm: spacing, orientation, warnings, checks }) {
  const sample = sampleOf(one);
  $('file-facts').textContent = t('facts', { dims: dims.join(' × '), spacing: spacing.map(number).join(' × '), orientation });
  $('file-origin').textContent = sample ? t(SAMPLES[sample].origin) : '';
  for (const name of SAMPLE_NAMES) $(`sample-${name}`).hidden = name === sample;
  listSentences($('file-warnings'), warnings);
  showChecks(details('file-checks'), checks);
}

/** @param {Comparison[]} rows */
function showComparison(rows) {
  const mark = (/** @type {boolean} */ fits) => {
    const badge = element('strong', {}, t(fits ? 'fitOk' : 'fitOdd'));
    badge.dataset.severity = fits ? 'ok' : 'warning';
    return badge;
  };
  const differs = rows.some(({ fits }) => !fits);
  $('fit-summary').replaceChildren(`${t('fit')}: `, mark(!differs));
  $('fit-rows').replaceChildren(
    ...rows.map(({ what, wanted, found, fits }) => {
      const head = element('th', { scope: 'row' }, t(what));
      return element('tr', {}, head, element('td', {}, wanted), element('td', {}, `${found} `, mark(fits)));
    }),
  );
  details('fit').open = differs;
  $('fit').hidden = false;
}

/** The list is shown where there are several volumes. @param {readonly Case[]} cases */
function showCases(cases) {
  if (state.current) $('file-name').textContent = titleOf(state.current);
  $('cases').hidden = cases.length < 2;
  const closed = lastClosed();
  $('reopen').hidden = !closed;
  if (closed) $('reopen').textContent = t('reopen', { name: titleOf(closed) });
  const rows = cases.map((one) => {
    const title = titleOf(one);
    const phase = element('span', { className: 'quiet small' }, t(`state${phaseOf(one)}`));
    const chooser = element('button', { type: 'button', className: 'plain', onclick: () => open(one) }, title, phase);
    chooser.setAttribute('aria-current', String(one === state.current));
    const ariaLabel = t('closeVolume', { name: title });
    return element('li', {}, chooser, element('button', { type: 'button', className: 'plain', onclick: () => close(one), ariaLabel }, '×'));
  });
  $('cases').replaceChildren(...rows);
}

/** @param {DicomState} dicom */
function showDicom(dicom) {
  $('dicom').hidden = dicom === null;
  if (dicom === null) return;
  if ('reading' in dicom) {
    $('dicom-pick').hidden = $('dicom-warnings').hidden = true;
    $('dicom-said').textContent = t('dicomReading', { count: dicom.reading });
  } else {
    offerSeries(dicom.series);
  }
}

/** The converter's warnings, in the page's words where it has them. @param {HTMLElement} parent @param {readonly string[]} warnings */
function listWarnings(parent, warnings) {
  const rows = warnings.map(warningInWords).map(({ text, isPages }) => element('li', { lang: isPages ? '' : 'en' }, text));
  parent.replaceChildren(...rows);
  parent.hidden = rows.length === 0;
}

/** @param {DicomSeries[]} series */
function offerSeries(series) {
  $('dicom-said').textContent = t('dicomPick', { count: series.length });
  const list = $('dicom-series', HTMLSelectElement);
  const names = tellApart(series.map(({ path }) => path));
  const options = series.map(({ dims, warnings }, i) => {
    const key = warnings.includes(ONE_SLICE) ? 'dicomSlice' : 'dicomWarned';
    const mark = warnings.length > 0 ? `, ${t(key)}` : '';
    return element('option', { value: String(i) }, `${names[i]} (${dims.join(' × ')}${mark})`);
  });
  list.replaceChildren(...options);
  list.onchange = () => listWarnings($('dicom-warnings'), series[Number(list.value)].warnings);
  list.onchange(new Event('change'));
  button('dicom-open').onclick = () => openSeries(series[Number(list.value)]);
  $('dicom-pick').hidden = series.length === 1 && state.current?.input === series[0].file;
  if (series.length > 1) list.focus();
}

/** Files of several volumes: which file, where there are some, and which volume of it. @param {readonly Several[]} several */
function offerVolumes(several) {
  $('several').hidden = several.length === 0;
  if (several.length === 0) return;
  const list = $('several-file', HTMLSelectElement);
  const names = tellApart(several.map(({ image }) => image.path ?? image.name));
  list.replaceChildren(...several.map((_, i) => element('option', { value: String(i) }, names[i])));
  list.hidden = several.length === 1;
  list.onchange = () => {
    const { count } = several[Number(list.value)];
    $('several-said').textContent = t('severalPick', { name: names[Number(list.value)], count });
    Object.assign(input('several-at'), { max: String(count), value: '1' });
  };
  list.onchange(new Event('change'));
  button('several-open').onclick = () => {
    const chosen = several[Number(list.value)];
    const at = Math.min(chosen.count, Math.max(1, Math.round(input('several-at').valueAsNumber) || 1));
    input('several-at').value = String(at);
    openVolume(chosen, at);
  };
  input('several-at').focus();
}
