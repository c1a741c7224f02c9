/** A volume as a share of all that is inside the skull of the open image. */
import { element } from '../dom.js';
import { permille, t } from '../i18n.js';
import { state } from '../state.js';

/** Nothing where that is not known. @param {number} volume mL @returns {(Node | string)[]} */
export function shareOfSkull(volume) {
  const whole = state.masked?.result.intracranialMl;
  if (!whole) return [];
  const share = element('span', { className: 'share', title: t('intracranialWhat') }, permille((1000 * volume) / whole));
  return [' ', share];
}
