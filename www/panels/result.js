/** What a run found: its warnings, what it took, its report, and the files to be saved. */
/** @import { ObjectBox, Segmentation } from 'insitu-seg' */
/** @import { MaskedCase } from '../types.js' */
/** @import { Key } from '../i18n.js' */
import { $, details, onClick } from '../dom.js';
import { DOWNLOADS, download, reportOf } from '../export.js';
import { fail } from '../failures.js';
import { dice, seconds, t } from '../i18n.js';
import { state } from '../state.js';
import { listSentences, nameOfObject } from './words.js';

/** @type {Record<Segmentation['timings'][number]['stage'], Key>} */
const TIMES = { prepare: 'timePrepare', whole: 'timeWhole', patch: 'timePatch', restore: 'timeRestore' };

/** After the last stroke, as the values of all voxels are counted. */
const REST_MS = 250;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let asked;

/** The space between two cards. */
const GAP = 12;

export function setUpResult() {
  state.on('mask', showResult);
  state.on('result', scrollToResult);
  details('run-report').addEventListener('toggle', followReport);
  for (const name of /** @type {const} */ (['voxels', 'labels', 'marks'])) {
    state.on(name, () => {
      clearTimeout(asked);
      asked = setTimeout(followReport, REST_MS);
    });
  }
  for (const id of Object.keys(DOWNLOADS)) onClick(id, () => download(id).catch(fail));
}

/** @param {MaskedCase | null} one */
function showResult(one) {
  $('result').hidden = one === null;
  $('report').textContent = '';
  if (one === null) return;
  const { boxes = [], warnings, timings, report } = one.result;
  showAgreement(boxes);
  listSentences($('warnings'), warnings);
  const list = sumsOf(timings).map(([stage, ms]) => t(TIMES[stage], { time: seconds(ms) }));
  $('timings').textContent = list.length > 0 ? t('time', { list: list.join(', ') }) : '';
  $('download-png').hidden = !state.shownView;
  showReport(report);
  completeReport(one);
}

/** How well networks agree on each of several objects; of a single one the line of its side says it. @param {readonly Pick<ObjectBox, 'object' | 'agreement'>[]} boxes */
function showAgreement(boxes) {
  const judged = boxes.flatMap(({ object, agreement }) =>
    agreement === undefined ? [] : [t('agreementOf', { object: nameOfObject(object), agreement: dice(agreement) })],
  );
  $('agreement').hidden = boxes.length < 2 || judged.length === 0;
  $('agreement-words').textContent = t('agreement', { list: judged.join(', ') });
}

/** A stage that ran for every object is told once. @param {Segmentation['timings']} timings */
function sumsOf(timings) {
  /** @type {Map<keyof typeof TIMES, number>} */
  const sums = new Map();
  for (const { stage, ms } of timings) sums.set(stage, (sums.get(stage) ?? 0) + ms);
  return [...sums];
}

/** @param {object} report */
function showReport(report) {
  $('report').textContent = JSON.stringify(report, null, 2);
}

/** How many reports were asked for: one with a hash that took longer is not shown over a later one. */
let reports = 0;

/** With what is saved of it too. @param {MaskedCase} one */
function completeReport(one) {
  const own = ++reports;
  reportOf(one).then((full) => own === reports && state.current === one && showReport(full), console.warn);
}

/** What a person corrected is in the report that is saved, and so in the one that is read. */
function followReport() {
  if (state.masked && details('run-report').open) completeReport(state.masked);
}

/** Brings the result into sight: in the panel below the button, which sticks to its top; where there is no panel that scrolls, in the page. */
function scrollToResult() {
  const panel = $('result').parentElement;
  if (panel && getComputedStyle(panel).overflowY === 'auto')
    panel.scrollTop = $('result').offsetTop - panel.offsetTop - $('action').offsetHeight - GAP;
  else $('result').scrollIntoView();
}
