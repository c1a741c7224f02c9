/** The words of the page: every function writes what it is given and decides nothing. */
import { showChecks } from './checks.js';
import { $, element, listSentences } from './element.js';
import { number, say, seconds } from './words.js';

const root = document.documentElement;

/** The engine's stages in words. */
const STAGES = { start: 'stageStarting', prepare: 'stagePrepare', whole: 'stageWhole', patch: 'stagePatch', restore: 'stageRestore' };

/** loading | opening | ready | running | tuning | done | error; the buttons follow it. */
export function setState(state) {
  root.dataset.state = state;
  const focusGoes = $('running').contains(document.activeElement);
  const busy = ['loading', 'opening', 'running', 'tuning'].includes(state);
  const started = $('backend-name').dataset.started === 'true';
  $('segment').disabled = busy || !started;
  $('segment').hidden = $('plan').hidden = state === 'running';
  $('running').hidden = state !== 'running';
  for (const id of ['open', 'open-folder', 'sample', 'box-run', 'dicom-open', 'load-delta', 'revert', 'next-slice']) $(id).disabled = busy;
  if (state === 'running') {
    showProgress({ stage: 'start', done: 0, total: 0 });
    tell('');
    $('cancel').focus();
  } else if (focusGoes) {
    $('segment').focus({ preventScroll: true });
  }
}

export const getState = () => root.dataset.state;
export const isBusy = () => ['loading', 'opening', 'running', 'tuning'].includes(root.dataset.state);

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
  tell('');
}

/** A way out where the GPU was asked for and cannot be had. */
export const offerCpu = (possible) => ($('instead').hidden = !possible);

/** One sentence, spoken too. */
export const tell = (sentence) => ($('said').textContent = sentence);

/** Where the network runs, in the header and, with the reason, under the button. */
export function showBackend(segmenter) {
  root.dataset.backend = segmenter?.backend ?? 'none';
  $('backend-name').dataset.started = String(Boolean(segmenter));
  if (!segmenter) {
    $('backend-name').textContent = say('notStarted');
    return;
  }
  const { backend, adapter, threads, why } = segmenter;
  const cpu = threads > 1 ? say('onThreads', { threads }) : say('onCpu');
  $('backend-name').textContent = backend === 'webgpu' ? say('onGpu', { adapter: adapter || 'WebGPU' }) : cpu;
  $('why').textContent = why;
}

export function showModel({ title, name, licence, intended_use: use, limits }) {
  $('model').textContent = licence ? say('model', { title: title ?? name, licence }) : say('modelBare', { title: title ?? name });
  const words = [use, limits].flat().filter(Boolean).join(' ');
  $('intended-words').textContent = words;
  $('intended').hidden = words === '';
}

export function showImage({ title, isSample }, { dims, spacing_mm: spacing, orientation, warnings, checks }) {
  $('file-name').textContent = isSample ? say('sample') : title;
  $('file-facts').textContent = say('facts', { dims: dims.join(' × '), spacing: spacing.map(number).join(' × '), orientation });
  $('file-origin').textContent = isSample ? say('sampleOrigin') : '';
  $('sample').hidden = Boolean(isSample);
  listSentences($('file-warnings'), warnings);
  showChecks($('file-checks'), checks);
}

/** Called many times a second: the spoken status changes with the stage only. */
export function showProgress({ stage, done, total }) {
  const words = stage in STAGES ? say(STAGES[stage]) : stage;
  if ($('stage-words').textContent !== words) $('stage-words').textContent = words;
  showShare($('progress'), $('stage-count'), done, total);
}

export function showShare(bar, count, done, total) {
  if (total > 0) {
    bar.max = total;
    bar.value = done;
    count.textContent = `${Math.floor((100 * done) / total)} %`;
  } else {
    bar.removeAttribute('value');
    count.textContent = '';
  }
}

export function showResult({ warnings, timings, report }) {
  listSentences($('warnings'), warnings);
  $('timings').textContent = say('time', { list: timings.map(({ stage, ms }) => `${stage} ${seconds(ms)}`).join(', ') });
  showReport(report);
  for (const id of ['result', 'teach']) $(id).hidden = false;
}

export const showReport = (report) => ($('report').textContent = JSON.stringify(report, null, 2));

/** Brings the result into sight, in the panel and not the page. */
export function scrollToResult() {
  $('result').parentElement.scrollTop = $('result').offsetTop - $('result').parentElement.offsetTop;
}

export function clearResult() {
  for (const id of ['result', 'teach', 'box']) $(id).hidden = true;
  $('report').textContent = '';
}

export const showSides = (radiological) => ($('sides').textContent = say(radiological ? 'sidesRadiological' : 'sidesNeurological'));

/** World millimetres as letters, so that nobody has to know which way an axis counts. */
export function showWhere({ mm, value, label }) {
  const axes = ['RL', 'AP', 'SI'];
  const place = mm.map((x, i) => `${axes[i][x < 0 ? 1 : 0]} ${Math.abs(x).toFixed(1)}`).join('  ');
  $('where').textContent = `${place} mm${value === undefined ? '' : `  ·  ${number(value)}`}${label ? `  ·  ${label}` : ''}`;
}

export function showViewNotice(sentence) {
  $('view-notice').textContent = sentence;
  $('view-notice').hidden = false;
  $('where').textContent = '';
}

export const hideViewNotice = () => ($('view-notice').hidden = true);

/** The volumes on the desk; the list is shown where there are several. */
export function showCases(cases, current, stateOf, { choose, close }) {
  $('cases').hidden = cases.length < 2;
  const rows = cases.map((one) => {
    const title = one.isSample ? say('sample') : one.title;
    const open = element(
      'button',
      { type: 'button', className: 'plain', onclick: () => choose(one) },
      title,
      element('span', { className: 'quiet small' }, say(`state${stateOf(one)}`)),
    );
    open.setAttribute('aria-current', String(one === current));
    const away = element(
      'button',
      { type: 'button', className: 'plain', onclick: () => close(one), ariaLabel: say('closeVolume', { name: title }) },
      '×',
    );
    return element('li', {}, open, away);
  });
  $('cases').replaceChildren(...rows);
}
