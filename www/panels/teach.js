/** Teaching: what the person marked, the tuning with its curves, its verdict, and the way back. */
/** @import { Change, ModelCard, TuneProgress, TuneReport } from 'insitu-seg' */
/** @import { Case, PageEvents, TuningPoint } from '../types.js' */
/** @import { Key } from '../i18n.js' */
import { adviceOf, gainClearly, OWN_GAIN } from '../advice.js';
import { $, button, element, input, onClick, onInput } from '../dom.js';
import { downloadModel, downloadRefused } from '../export.js';
import { fail } from '../failures.js';
import { onPicked } from '../files.js';
import { approvedSlices } from '../handmade.js';
import { change, dice, number, t } from '../i18n.js';
import { state } from '../state.js';
import {
  canCompare,
  cancelTuning,
  canTeach,
  compare,
  goToSuggestion,
  keepVariant,
  loadModel,
  markedVolumes,
  mergeWith,
  revert,
  toggleChecked,
  tune,
} from '../tuning.js';
import { drawCurves } from './curves.js';
import { showShare } from './run.js';

/** @type {readonly Key[]} by the axis across the slice */
const PLANES = ['viewSagittal', 'viewCoronal', 'viewAxial'];

/** @type {Record<TuneProgress['stage'], Key>} */
const STAGES = {
  load: 'stageLoad',
  before: 'tuneBefore',
  whole: 'tuneWhole',
  patch: 'tunePatch',
  after: 'tuneAfter',
  recover: 'stageRecover',
};

/** What the engine's rules say, in the page's words. @type {Record<TuneReport['cause'], Key>} */
const CAUSES = {
  better: 'verdictBetter',
  'own-convention': 'verdictOwn',
  'no-gain': 'verdictNoGain',
  'small-gain': 'verdictSmallGain',
  'poor-fit': 'verdictPoorFit',
  'reference-falls': 'verdictReference',
  annotations: 'verdictAnnotations',
  'own-falls': 'mergedFalls',
};

/** Of merged weights, where the words are other ones. @type {Partial<typeof CAUSES>} */
const MERGED = { better: 'mergedBetter' };

/** @type {TuningPoint[]} of the tuning under way */
let points = [];
/** @type {TuneReport['cause'] | undefined} of the last tuning, as long as its model is the one that runs */
let lastCause;
/** @type {{ of: Case, approved: number } | undefined} what the last suggestion was said of */
let suggested;

/** @param {unknown} thrown */
const failHere = (thrown) => fail(thrown, 'teach');

export function setUpTeaching() {
  onClick('check-slice', toggleChecked);
  onClick('next-slice', () => goToSuggestion().catch(failHere));
  onClick('tune', () => startLearning(() => tune(Math.max(0.05, input('minutes').valueAsNumber || 2))).catch(failHere));
  onClick('tune-cancel', cancelTuning);
  onClick('revert', () => revert().catch(failHere));
  onInput('compare', (field) => compare(field.valueAsNumber));
  onClick('save-delta', () => downloadModel().catch(failHere));
  onClick('save-refused', () => downloadRefused().catch(failHere));
  $('variant', HTMLFormElement).addEventListener('submit', (event) => takeVariant(event).catch(failHere));
  onClick('load-delta', () => input('delta-file').click());
  onClick('merge-delta', () => input('merge-file').click());
  onPicked('merge-file', ([file]) => file && startLearning(() => mergeWith(file)).catch(failHere));
  onPicked('delta-file', ([file]) => file && loadModel(file).catch(failHere));

  state.on('mask', (one) => {
    $('teach').hidden = one === null;
    showMaskNow();
    $('compare-field').hidden = !canCompare();
    showMarks();
  });
  state.on('marks', showMarks);
  // What is worked on is what is seen: a stroke, or undo, brings it back.
  state.on('voxels', showMaskNow);
  state.on('crosshair', showMarks);
  state.on('suggestion', showSuggestion);
  state.on('tuning', showTuning);
  state.on('comparison', () => {
    input('compare').value = '1';
    $('compare-field').hidden = false;
  });
}

/** Ends the look at the mask of before the tuning. */
function showMaskNow() {
  const field = input('compare');
  if (field.value === '1') return;
  field.value = '1';
  compare(1);
}

/** @param {() => Promise<boolean>} learn */
async function startLearning(learn) {
  if (!(await learn())) $('teach-found').textContent = t('teachNone');
}

/** @param {PageEvents['suggestion']} suggestion */
function showSuggestion(suggestion) {
  const { current } = state;
  suggested = current ? { of: current, approved: approvedSlices(current).size } : undefined;
  const words = suggestion && t('nextSliceAt', { slice: suggestion.slice + 1, plane: t(PLANES[suggestion.plane]) });
  $('next-said').textContent = words ?? t('nextSliceNone');
}

/** @param {PageEvents['tuning']} event */
function showTuning(event) {
  if (event === 'started') showStart();
  else if (event === 'ended') showRunning(false);
  else if (event === 'another') forgetVerdict();
  else if ('accepted' in event) showVerdict(event);
  else showProgress(event);
}

/** @param {boolean} running */
function showRunning(running) {
  $('tuning').hidden = !running;
  $('tune-start').hidden = running;
}

function showStart() {
  points = [];
  showRunning(true);
  $('tune-words').textContent = t('tuneStart');
  showTuningShare(0, 0);
  $('curves').hidden = $('verdict').hidden = true;
  $('tune-cancel').focus();
}

/** @param {number} done @param {number} total */
const showTuningShare = (done, total) => showShare($('tune-progress', HTMLProgressElement), $('tune-count'), done, total);

/** Where it stands, its loss, and the Dice on what was held out as last looked at. @param {TuneProgress} progress */
function showProgress({ stage, done, total, step, loss, check }) {
  const words = t(STAGES[stage]);
  if ($('tune-words').textContent !== words) $('tune-words').textContent = words;
  showTuningShare(done, total);
  if (!Number.isFinite(loss) && !Number.isFinite(check)) return;
  points.push({ at: step ?? points.length, loss, dice: check });
  drawCurves($('curves-svg', SVGSVGElement), $('curves-words'), points);
  $('curves').hidden = false;
}

/** What became of the tuning and why, its numbers, and what can be done with what was refused. @param {TuneReport} report */
function showVerdict({ verdict, cause, check, reference, cases, bounds: [gain, fall], steps, merged }) {
  lastCause = cause;
  const count = gainClearly(cases);
  const words = (merged && MERGED[cause]) ?? CAUSES[cause];
  $('verdict-words').textContent = t(words, { gain: number(gain), fall: number(fall), own: number(OWN_GAIN), count });
  $('verdict').dataset.verdict = verdict;
  const rows = [
    check && row(t('heldOut'), check),
    ...(cases.length > 1 ? cases.map(({ name, dice: change }) => row(name, change)) : []),
    reference && row(t('referenceCase'), reference),
  ];
  $('verdict-rows').replaceChildren(...rows.filter((one) => one !== null));
  $('verdict-numbers').hidden = rows.every((one) => one === null);
  $('variant').hidden = verdict !== 'variant';
  $('save-refused').hidden = verdict === 'accepted' || steps === 0;
  $('compare-field').hidden = true;
  $('verdict').hidden = false;
  showMarks();
}

/** @param {string} name @param {Change} change */
const row = (name, { before, after }) =>
  element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    ...[dice(before), dice(after), change(after - before)].map((text) => element('td', {}, text)),
  );

/** What was said of a tuning is not true of another model. */
function forgetVerdict() {
  lastCause = undefined;
  $('verdict').hidden = $('curves').hidden = true;
}

/** @param {SubmitEvent} event */
async function takeVariant(event) {
  event.preventDefault();
  const name = input('variant-name').value.trim();
  if (name === '') return;
  await keepVariant(name);
  $('variant').hidden = $('save-refused').hidden = true;
  $('verdict-words').textContent = t('variantKept', { name });
}

/** What is marked, what would help most beside it, and what can be done with it. */
function showMarks() {
  const { segmenter, current, shownView: view, tool } = state;
  if (!current?.editor) return;
  const all = markedVolumes();
  const marked = all.filter(({ corrected, slices }) => corrected + slices > 0);
  const sum = (/** @type {'corrected' | 'slices'} */ key) => marked.reduce((total, one) => total + one[key], 0);
  const found = t('teachFound', { voxels: sum('corrected'), slices: sum('slices'), cases: marked.length });
  $('teach-found').textContent = marked.length > 0 ? found : t('teachNone');
  const { key, values } = adviceOf(all, segmenter?.model.labels.map(({ name }) => name) ?? [], lastCause);
  const teaches = !state.masked || canTeach(state.masked);
  $('advice').textContent = teaches ? t(key, values) : t('adviceScan');
  button('check-slice').disabled = !teaches;
  button('tune').disabled = button('merge-delta').disabled = marked.length === 0;
  $('load-delta').hidden = $('merge-delta').hidden = false;
  $('next-slice').hidden = !teaches;
  $('revert').hidden = $('save-delta').hidden = $('tuned').hidden = !segmenter?.canRevert;
  $('tuned').textContent = whatItIs(segmenter?.model.tuned);
  const approved = approvedSlices(current);
  const checked = Boolean(view && approved.has(`${tool.plane}:${view.place[tool.plane]}`));
  $('check-slice').setAttribute('aria-pressed', String(checked));
  $('check-slice').textContent = t(checked ? 'uncheckSlice' : 'checkSlice');
  if (suggested && (suggested.of !== current || suggested.approved !== approved.size)) {
    suggested = undefined;
    $('next-said').textContent = '';
  }
}

/** @param {ModelCard['tuned']} tuned */
function whatItIs(tuned) {
  if (tuned?.own_variant) return t('isVariant', { name: tuned.own_variant });
  return t(tuned?.refused ? 'isRefused' : 'isTuned');
}
