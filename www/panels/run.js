/** The button that segments, what the run will take, and how far it is, or the opening of a file. */
/** @import { Progress } from 'insitu-seg' */
/** @import { PageEvents, Status } from '../types.js' */
/** @import { Key } from '../i18n.js' */
import { $, button, onClick } from '../dom.js';
import { bytes, seconds, t } from '../i18n.js';
import { correctedVoxels, state } from '../state.js';
import { cancel, segment } from '../workflow.js';

const root = document.documentElement;

/** The engine's stages in words. @type {Record<Progress['stage'], Key>} */
const STAGES = {
  load: 'stageLoad',
  start: 'stageStart',
  prepare: 'stagePrepare',
  whole: 'stageWhole',
  patch: 'stagePatch',
  restore: 'stageRestore',
  suggest: 'stageSuggest',
  recover: 'stageRecover',
};

/** Buttons that must wait while the page is busy. Files may be chosen at any time: they wait by themselves. */
const WAITING = ['sample-head', 'sample-crop', 'box-run', 'side-other', 'dicom-open', 'load-delta', 'revert', 'next-slice'];

export function setUpRun() {
  onClick('segment', () => segment());
  onClick('cancel', cancel);
  state.on('status', showStatus);
  state.on('segmenter', () => (button('segment').disabled = state.isBusy || !state.segmenter));
  state.on('plan', showPlan);
  state.on('progress', showProgress);
  state.on('mask', (one) => one && warnOfCorrections());
  state.on('marks', () => state.masked && warnOfCorrections());
  state.on('opening', showOpening);
}

/** @param {Status} status */
function showStatus(status) {
  root.dataset.state = status;
  const focusGoes = $('running').contains(document.activeElement);
  const isRunning = status === 'running';
  button('segment').disabled = state.isBusy || !state.segmenter;
  const isOpening = status === 'opening';
  $('to-segment').hidden = isRunning;
  $('plan').hidden = isRunning || isOpening;
  if (!isOpening) $('opening').hidden = true;
  $('running').hidden = !isRunning;
  for (const id of WAITING) button(id).disabled = state.isBusy;
  if (isRunning) {
    showProgress({ stage: 'start', done: 0, total: 0 });
    $('cancel').focus();
  } else if (focusGoes) {
    $('segment').focus({ preventScroll: true });
  }
}

/** The steps of opening a file. @type {Record<PageEvents['opening']['step'], Key>} */
const STEPS = { read: 'openingRead', check: 'openingCheck', draw: 'openingDraw' };

/** @param {PageEvents['opening']} opening */
function showOpening({ name, step }) {
  $('opening-words').textContent = t(STEPS[step], { name });
  $('opening-progress', HTMLProgressElement).value = Object.keys(STEPS).indexOf(step) + 0.5;
  $('opening').hidden = false;
  $('plan').hidden = true;
}

/** @param {PageEvents['plan']} plan */
function showPlan(plan) {
  const line = $('plan');
  if (plan === null) warnOfCorrections();
  else if (plan === 'planning') line.textContent = t('planning');
  else {
    const backend = t(plan.backend === 'webgpu' ? 'planGpu' : 'planCpu');
    line.textContent = t('plan', { seconds: seconds(plan.seconds * 1000), memory: bytes(plan.peakBytes), backend });
  }
}

/** Before the button is pressed again. */
function warnOfCorrections() {
  const { masked } = state;
  $('plan').textContent = masked && correctedVoxels(masked) > 0 ? t('segmentReplaces') : '';
}

/** Called many times a second: the spoken status changes with the stage only. @param {Progress} progress */
function showProgress({ stage, done, total, reason }) {
  const words = stage === 'recover' && reason ? t('stageRecoverWhy', { reason }) : t(STAGES[stage]);
  if ($('stage-words').textContent !== words) $('stage-words').textContent = words;
  showShare($('progress', HTMLProgressElement), $('stage-count'), done, total);
}

/** @param {HTMLProgressElement} bar @param {HTMLElement} count @param {number} done @param {number} total 0 where it is not known */
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
