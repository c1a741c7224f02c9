/** Objects that the model did not find: a person shows where each is, and it is segmented there. */
/** @import { MaskedCase } from '../types.js' */
import { $, element } from '../dom.js';
import { t } from '../i18n.js';
import { isMaskOf } from '../objects.js';
import { state } from '../state.js';
import { objectsIn, segmentAtCrosshair } from '../workflow.js';
import { nameOfObject } from './words.js';

export function setUpMissing() {
  state.on('mask', showMissing);
  state.on('status', () => {
    for (const one of $('missing-buttons').querySelectorAll('button')) one.disabled = state.isBusy;
  });
}

/** @param {MaskedCase | null} one */
function showMissing(one) {
  const isOwn = one && state.segmenter && isMaskOf(state.segmenter.model, one);
  const objects = isOwn && state.shownView ? objectsIn(one) : [];
  const missing = objects.filter(({ labels }) => labels.every((index) => one?.editor.counts[index] === 0));
  const buttons = missing.map(({ name }) => {
    const words = objects.length > 1 ? t('putBoxOf', { object: nameOfObject(name) }) : t('putBox');
    return element('button', { type: 'button', value: name, disabled: state.isBusy, onclick: () => segmentAtCrosshair(name) }, words);
  });
  $('missing-buttons').replaceChildren(...buttons);
  $('missing').hidden = missing.length === 0;
}
