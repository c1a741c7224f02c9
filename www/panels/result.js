/** What a run found: its warnings, what it took, its report, and the files to be saved. */
/** @import { ObjectBox, Segmentation } from 'insitu-seg' */
/** @import { MaskedCase } from '../types.js' */
/** @import { Key } from '../i18n.js' */
import { $, onClick } from '../dom.js';
import { DOWNLOADS, download, reportOf } from '../export.js';
import { fail } from '../failures.js';
import { dice, seconds, t } from '../i18n.js';
import { state } from '../state.js';
import { listSentences, nameOfObject } from './words.js';

/** @type {Record<Segmentation['timings'][number]['stage'], Key>} */
const TIMES = { prepare: 'timePrepare', whole: 'timeWhole', patch: 'timePatch', restore: 'timeRestore' };

export function setUpResult() {
  state.on('mask', showResult);
  state.on('result', scrollToResult);
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
  reportOf(one).then((full) => state.current === one && showReport(full), console.warn);
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

/** Brings the result into sight, in the panel and not the page. */
function scrollToResult() {
  const panel = $('result').parentElement;
  if (panel) panel.scrollTop = $('result').offsetTop - panel.offsetTop;
}
