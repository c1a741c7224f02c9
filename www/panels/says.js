/** What the page says: one sentence at a time, beside what was done; what went wrong stays until something else is done. */
/** @import { PageError, Place } from '../types.js' */
import { $, details } from '../dom.js';
import { state } from '../state.js';
import { showChecks } from './checks.js';

/** Where a person did something last. @type {string} */
let last = 'segment';

export function setUpSays() {
  for (const name of ['click', 'change', 'keydown', 'pointerdown']) document.addEventListener(name, ({ target }) => remember(target), true);
  state.on('message', ({ sentence, place }) => {
    if (sentence) moveTo(place);
    $('said').textContent = $('spoken').textContent = sentence;
  });
  // A stroke makes what was said before it old.
  state.on('voxels', () => ($('said').textContent = ''));
  state.on('error', showError);
}

/** @param {EventTarget | null} target */
function remember(target) {
  const place = target instanceof Element ? target.closest('[data-place]') : null;
  if (place instanceof HTMLElement && place.dataset.place) last = place.dataset.place;
}

/** @param {Place} [place] where a person did something last, if it is left out */
function moveTo(place) {
  const of = (/** @type {string} */ name) => document.querySelector(`[data-says="${name}"]`);
  const wanted = of(place ?? last);
  // A card that is not shown shows nothing.
  const shown = wanted?.parentElement?.closest('[hidden]') ? of('segment') : wanted;
  if (shown && !shown.contains($('says'))) shown.append($('says'));
}

/** @param {PageError | null} error */
function showError(error) {
  const line = $('error');
  if (error) moveTo(error.place);
  line.hidden = error === null;
  line.textContent = error?.message ?? '';
  line.lang = error && !error.isPages ? 'en' : '';
  showChecks(details('error-checks'), error?.checks);
  if (error) line.scrollIntoView({ block: 'nearest' });
}
