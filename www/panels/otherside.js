/** Which side an image of one object was taken for, and the press that takes it for the other one. */
/** @import { MaskedCase } from '../types.js' */
import { $, button, onClick } from '../dom.js';
import { dice, t } from '../i18n.js';
import { isMaskOf, sidesOf } from '../objects.js';
import { state } from '../state.js';
import { takeOtherSide } from '../workflow.js';
import { nameOfObject } from './words.js';

export function setUpOtherSide() {
  state.on('mask', showSide);
  onClick('side-other', takeOtherSide);
}

/** @param {MaskedCase | null} one */
function showSide(one) {
  const sides = one && state.segmenter && isMaskOf(state.segmenter.model, one) ? sidesOf(state.segmenter.model, one.result) : null;
  $('side').hidden = !sides;
  if (!one || !sides) return;
  const { taken, other, agreement } = sides;
  const side = nameOfObject(taken);
  const isSaid = one.side === taken;
  const isJudged = !isSaid && agreement !== undefined;
  $('side-words').textContent = isJudged
    ? t('sideAgreed', { side, agreement: dice(agreement) })
    : t(isSaid ? 'sideSaid' : 'sideSeen', { side });
  button('side-other').textContent = t('sideOther', { side: nameOfObject(other) });
}
