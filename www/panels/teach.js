/** Teaching: what the person marked, the tuning with its curves, its verdict, and the way back. */
/** @import { TuneProgress, TuneReport } from 'insitu-seg' */
/** @import { PageEvents, TuningPoint } from '../types.js' */
/** @import { Key } from '../i18n.js' */
import { $, button, element, input, onClick, onInput } from '../dom.js';
import { downloadModel } from '../export.js';
import { fail } from '../failures.js';
import { onPicked } from '../files.js';
import { approvedSlices } from '../handmade.js';
import { dice, t } from '../i18n.js';
import { correctedVoxels, state } from '../state.js';
import { canCompare, cancelTuning, compare, goToSuggestion, loadModel, revert, toggleChecked, tune } from '../tuning.js';
import { drawCurves } from './curves.js';
import { showShare } from './run.js';

/** @type {readonly Key[]} by the axis across the slice */
const PLANES = ['viewSagittal', 'viewCoronal', 'viewAxial'];

/** @type {Record<TuneProgress['stage'], Key>} */
const STAGES = { before: 'tuneBefore', whole: 'tuneWhole', patch: 'tunePatch', after: 'tuneAfter', recover: 'stageRecover' };

/** @type {TuningPoint[]} of the tuning under way */
let points = [];

export function setUpTeaching() {
  onClick('check-slice', toggleChecked);
  onClick('next-slice', () => goToSuggestion().catch(fail));
  onClick('tune', () => startTuning().catch(fail));
  onClick('tune-cancel', cancelTuning);
  onClick('revert', () => revert().catch(fail));
  onInput('compare', (field) => compare(field.valueAsNumber));
  onClick('save-delta', () => downloadModel().catch(fail));
  onClick('load-delta', () => input('delta-file').click());
  onPicked('delta-file', ([file]) => file && loadModel(file).catch(fail));

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

async function startTuning() {
  const started = await tune(Math.max(0.05, input('minutes').valueAsNumber || 2));
  if (!started) $('teach-found').textContent = t('teachNone');
}

/** @param {PageEvents['suggestion']} suggestion */
function showSuggestion(suggestion) {
  const words = suggestion && t('nextSliceAt', { slice: suggestion.slice + 1, plane: t(PLANES[suggestion.plane]) });
  $('next-said').textContent = words ?? t('nextSliceNone');
}

/** @param {PageEvents['tuning']} event */
function showTuning(event) {
  if (event === 'started') showStart();
  else if (event === 'ended') showRunning(false);
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

/** Where it stands, its loss, and the Dice on the voxels that judge as last looked at. @param {TuneProgress} progress */
function showProgress({ stage, done, total, loss, check }) {
  const words = t(STAGES[stage]);
  if ($('tune-words').textContent !== words) $('tune-words').textContent = words;
  showTuningShare(done, total);
  if (!Number.isFinite(loss) && !Number.isFinite(check)) return;
  points.push({ at: total > 0 ? done / total : points.length, loss, dice: check });
  drawCurves($('curves-svg', SVGSVGElement), $('curves-words'), points);
  $('curves').hidden = false;
}

/** Accepted or refused, why in the engine's words, and both Dices on the voxels that judged. @param {TuneReport} report */
function showVerdict({ accepted, reason, check }) {
  const why = element('span', { lang: 'en' }, reason.replace(/^(accepted|refused): /, '').replace(/\.?$/, '.'));
  const numbers = check ? ` ${t('diceBefore', { value: dice(check.before) })}. ${t('diceAfter', { value: dice(check.after) })}.` : '';
  $('verdict-words').replaceChildren(`${t(accepted ? 'accepted' : 'refused')} `, why, numbers);
  $('verdict').dataset.accepted = String(accepted);
  $('compare-field').hidden = true;
  $('verdict').hidden = false;
}

/** What is marked, and what can be done with it. */
function showMarks() {
  const { segmenter, current, shownView: view, tool } = state;
  if (!current?.editor) return;
  const marked = state.cases
    .map((one) => ({ voxels: correctedVoxels(one), slices: approvedSlices(one).size }))
    .filter(({ voxels, slices }) => voxels + slices > 0);
  const sum = (/** @type {'voxels' | 'slices'} */ key) => marked.reduce((total, one) => total + one[key], 0);
  const found = t('teachFound', { voxels: sum('voxels'), slices: sum('slices'), cases: marked.length });
  $('teach-found').textContent = marked.length > 0 ? found : t('teachNone');
  button('tune').disabled = marked.length === 0;
  $('load-delta').hidden = $('next-slice').hidden = false;
  $('revert').hidden = $('save-delta').hidden = $('tuned').hidden = !segmenter?.canRevert;
  const checked = Boolean(view && approvedSlices(current).has(`${tool.plane}:${view.place[tool.plane]}`));
  $('check-slice').setAttribute('aria-pressed', String(checked));
  $('check-slice').textContent = t(checked ? 'uncheckSlice' : 'checkSlice');
}
