/** Another of the open volumes laid over the open one: which, how strong, and on or off. There while several are open. */
/** @import { Case } from '../types.js' */
import { $, element, input, onChange, onInput } from '../dom.js';
import { t } from '../i18n.js';
import { titleOf } from '../open/names.js';
import { laySecond } from '../second.js';
import { state } from '../state.js';

/** @type {Case | null} */
let chosen = null;

const list = () => $('second', HTMLSelectElement);

export function setUpSecond() {
  list().onchange = () => choose(others().find(({ id }) => id === list().value) ?? null);
  onChange('second-show', ({ checked }) => state.view?.second.set({ isShown: checked }));
  onInput('second-opacity', ({ valueAsNumber }) => state.view?.second.set({ opacity: valueAsNumber }));
  // Over another image it lies somewhere else.
  state.on('opened', () => {
    if (chosen) drop();
    offer();
  });
  state.on('cases', offer);
}

/** What may be laid over the open image. */
const others = () => state.cases.filter((one) => one !== state.current && !one.isBroken);

function offer() {
  if (chosen && !others().includes(chosen)) drop();
  const all = state.shownView ? others() : [];
  const rows = all.map((one) => element('option', { value: one.id }, titleOf(one)));
  list().replaceChildren(element('option', { value: '' }, t('secondNone')), ...rows);
  list().value = chosen?.id ?? '';
  $('second-field').hidden = all.length === 0;
  $('second-options').hidden = chosen === null;
}

function drop() {
  chosen = null;
  state.view?.second.clear();
}

/** @param {Case | null} one */
async function choose(one) {
  drop();
  if (one && state.isBusy) state.announce(t('busy'));
  else if (one) {
    input('second-show').checked = true;
    state.view?.second.set({ isShown: true });
    if (await laySecond(one)) chosen = one;
  }
  offer();
}
