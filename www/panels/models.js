/** Which model runs, what else there is to choose from, and the ways by which another one comes in. */
/** @import { MadeBy, MaskedCase } from '../types.js' */
/** @import { Choice } from '../models.js' */
import { $, button, details, element, input, onClick } from '../dom.js';
import { fail } from '../failures.js';
import { onPicked } from '../files.js';
import { fillIn, t } from '../i18n.js';
import { modelChoices, useChoice, useOpened } from '../models.js';
import { isMaskOf } from '../objects.js';
import { chosenModel, fetchModel } from '../open/model.js';
import { state } from '../state.js';

/** What must wait while the page is busy. */
const WAITING = ['model-files', 'model-folder', 'model-fetch'];

/** What a model comes in by. */
const WAYS = `
<details id="model-open">
  <summary data-i18n="modelOpen"></summary>
  <div class="stack">
    <p class="quiet small" data-i18n="modelHint"></p>
    <div class="row">
      <button id="model-files" type="button" data-i18n="modelFiles"></button>
      <button id="model-folder" type="button" data-i18n="modelFolder"></button>
      <input id="model-file" type="file" multiple hidden data-i18n-label="modelInput" />
      <input id="model-directory" type="file" webkitdirectory hidden data-i18n-label="modelFolderInput" />
    </div>
    <form class="row" id="model-link">
      <label class="field"><span data-i18n="modelAddress"></span><input id="model-address" type="text" inputmode="url" autocomplete="off" spellcheck="false" /></label>
      <button id="model-fetch" type="submit" data-i18n="modelFetch"></button>
    </form>
  </div>
</details>`;

/** The menu and the ways, around the words on the model; and who made a mask, under its labels. */
function build() {
  const choice = element('label', { className: 'field', id: 'model-choice' }, element('span', {}, t('modelChoice')));
  choice.append(element('select', { id: 'models' }));
  $('model').before(choice);
  $('model').insertAdjacentHTML('afterend', WAYS);
  fillIn($('model-open'));
  $('regions').after(element('p', { id: 'made-by', className: 'quiet small' }));
}

export function setUpModels() {
  build();
  const list = $('models', HTMLSelectElement);
  /** @type {Choice[]} */
  let choices = [];
  const show = () => {
    const all = modelChoices();
    choices = all.choices;
    list.replaceChildren(...choices.map((one, i) => element('option', { value: String(i) }, titleOf(one))));
    list.value = String(choices.findIndex(({ base, delta }) => base === all.chosen.base && delta === all.chosen.delta));
  };
  list.addEventListener('change', () => useChoice(choices[Number(list.value)]));
  state.on('segmenter', show);
  state.on('marks', show);
  state.on('segmenter', () => showMaker(state.masked));
  state.on('mask', showMaker);
  state.on('status', () => {
    list.disabled = state.isBusy;
    for (const id of WAITING) button(id).disabled = state.isBusy;
  });

  onClick('model-files', () => input('model-file').click());
  onClick('model-folder', () => input('model-directory').click());
  for (const id of ['model-file', 'model-directory']) onPicked(id, (files) => files.length > 0 && take(() => chosenModel(files)));
  $('model-link', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const address = input('model-address').value.trim();
    if (address !== '') take(() => fetchModel(address));
  });
}

/** @param {() => ReturnType<typeof fetchModel>} read */
async function take(read) {
  try {
    if (await useOpened(await read())) details('model-open').open = false;
  } catch (thrown) {
    fail(thrown);
  }
}

/** @param {Choice} choice */
function titleOf({ base, delta, from }) {
  const title = base.title ?? base.name;
  const named = base.from ? t('modelFromName', { title, from: base.from }) : title;
  if (delta === undefined) return named;
  return from ? t('modelTunedFrom', { title: named, from }) : t('modelTuned', { title: named });
}

/** The mask says which model made it, and whether that is the one that is chosen now. @param {MaskedCase | null} one */
function showMaker(one) {
  const { segmenter } = state;
  if (!one || !segmenter) return;
  /** @type {Pick<MadeBy, 'name' | 'title' | 'isTuned' | 'ownVariant'>} */
  const maker = one.madeBy ?? { ...one.result.report.model, isTuned: false };
  const title = maker.title ?? maker.name;
  const { isTuned, ownVariant } = maker;
  const words = ownVariant ? t('madeByVariant', { title, name: ownVariant }) : t(isTuned ? 'madeByTuned' : 'madeBy', { title });
  const now = segmenter.model;
  const isOther = !isMaskOf(now, one) || isTuned !== segmenter.canRevert || (isTuned && ownVariant !== now.tuned?.own_variant);
  $('made-by').textContent = isOther ? `${words} ${t('madeByOther')}` : words;
}
