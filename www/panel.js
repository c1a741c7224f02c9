/** The words of the page: every function writes what it is given and decides nothing. */
import { showChecks } from './checks.js';
import { element } from './element.js';

const $ = (id) => document.getElementById(id);
const root = document.documentElement;

const SAMPLE_ORIGIN = 'Synthetic: no person’s image. Made from cases of Medical Segmentation Decathlon task 4. Licence CC‑BY‑SA‑4.0.';

/** The engine's stages in words. */
const STAGES = {
  prepare: 'Preparing the image',
  whole: 'Finding the object',
  patch: 'Segmenting inside its box',
  restore: 'Returning to the grid of the file',
};

const ml = new Intl.NumberFormat('en', { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

/** loading | opening | ready | running | done | error; the buttons follow it. */
export function setState(state) {
  root.dataset.state = state;
  const focusGoes = $('running').contains(document.activeElement);
  const busy = ['loading', 'opening', 'running'].includes(state);
  $('segment').disabled = busy || $('why').textContent === '';
  $('segment').hidden = state === 'running';
  $('running').hidden = state !== 'running';
  $('open').disabled = $('sample').disabled = busy;
  if (state === 'running') {
    showProgress({ stage: 'Starting', done: 0, total: 0 });
    say('');
    $('cancel').focus();
  } else if (focusGoes) {
    $('segment').focus({ preventScroll: true });
  }
}

export const getState = () => root.dataset.state;

/** `checks`: of the header of the file that was refused, if it has one. */
export function showError(sentence, checks) {
  $('error').textContent = sentence;
  $('error').hidden = false;
  showChecks($('error-checks'), checks);
  $('error').scrollIntoView({ block: 'nearest' });
}

export function clearError() {
  $('error').hidden = true;
  $('error').textContent = '';
  showChecks($('error-checks'));
  say('');
}

/** A way out where the GPU was asked for and cannot be had. */
export const offerCpu = (possible) => ($('instead').hidden = !possible);

export const say = (sentence) => ($('said').textContent = sentence);

/** Where the network runs, in the header and, with the reason, under the button. */
export function showBackend(segmenter) {
  root.dataset.backend = segmenter?.backend ?? 'none';
  if (!segmenter) {
    $('backend-name').textContent = 'Not started';
    return;
  }
  const { backend, adapter, threads, why } = segmenter;
  const cpu = threads > 1 ? `Runs on the CPU, ${threads} threads` : 'Runs on the CPU';
  $('backend-name').textContent = backend === 'webgpu' ? `Runs on the GPU: ${adapter || 'WebGPU'}` : cpu;
  $('why').textContent = why;
}

export function showModel({ title, name, licence }) {
  $('model').textContent = `Model: ${title ?? name}${licence ? `. Licence: ${licence}` : ''}.`;
}

export function showImage({ title }, { dims, spacing_mm, orientation, warnings, checks }, isSample) {
  $('file-name').textContent = title;
  $('file-facts').textContent = `${dims.join(' × ')} voxels, ${spacing_mm.map((mm) => number.format(mm)).join(' × ')} mm, ${orientation}`;
  $('file-origin').textContent = isSample ? SAMPLE_ORIGIN : '';
  $('sample').hidden = isSample;
  list($('file-warnings'), warnings);
  showChecks($('file-checks'), checks);
}

/** Called many times a second: the spoken status changes with the stage only. */
export function showProgress({ stage, done, total }) {
  const words = STAGES[stage] ?? stage;
  if ($('stage-words').textContent !== words) $('stage-words').textContent = words;
  const bar = $('progress');
  if (total > 0) {
    bar.max = total;
    bar.value = done;
    $('stage-count').textContent = `${Math.floor((100 * done) / total)} %`;
  } else {
    bar.removeAttribute('value');
    $('stage-count').textContent = '';
  }
}

export function showResult({ classes, warnings, timings, report }) {
  const rows = classes.filter(({ index }) => index !== 0).map(({ name, color, voxels, milliliters }) => {
    const swatch = element('span', { className: 'swatch' });
    swatch.style.setProperty('--color', color);
    const label = element('th', { scope: 'row' }, swatch, name);
    const volume = element('td', { title: `${voxels} voxels` }, `${ml.format(milliliters)} mL`);
    return element('tr', {}, label, volume);
  });
  $('classes').replaceChildren(...rows);
  list($('warnings'), warnings);
  $('timings').textContent = `Time: ${timings.map(({ stage, ms }) => `${stage} ${seconds(ms)}`).join(', ')}.`;
  $('report').textContent = JSON.stringify(report, null, 2);
  $('result').hidden = false;
  $('result').parentElement.scrollTop = $('result').offsetTop;
  say(`Done in ${seconds(report.ms)}.`);
}

export function clearResult() {
  $('result').hidden = true;
  $('report').textContent = '';
}

export function showSides(radiological) {
  $('sides').textContent = radiological
    ? 'Radiological display: in axial and coronal slices the left of the screen is the patient’s right.'
    : 'Neurological display: in axial and coronal slices the left of the screen is the patient’s left.';
}

/** World millimetres as letters, so that nobody has to know which way an axis counts. */
export function showWhere({ mm, value, label }) {
  const axes = ['RL', 'AP', 'SI'];
  const place = mm.map((x, i) => `${axes[i][x < 0 ? 1 : 0]} ${Math.abs(x).toFixed(1)}`).join('  ');
  $('where').textContent = `${place} mm${value === undefined ? '' : `  ·  ${number.format(value)}`}${label ? `  ·  ${label}` : ''}`;
}

export function showViewNotice(sentence) {
  $('view-notice').textContent = sentence;
  $('view-notice').hidden = false;
  $('where').textContent = '';
}

export const hideViewNotice = () => ($('view-notice').hidden = true);

/** brain.nii.gz, brain.hdr -> brain */
export const stem = (name) => name.replace(/\.(nii|hdr)(\.gz)?$|\.gz$/i, '');

const seconds = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

function list(parent, sentences) {
  parent.replaceChildren(...sentences.map((sentence) => element('li', {}, sentence)));
  parent.hidden = sentences.length === 0;
}
