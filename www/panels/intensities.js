/** What the image is like where each label is: mean, standard deviation, least and most; counted while the table is open. */
import { $, details, element } from '../dom.js';
import { statisticsOf } from '../edit/statistics.js';
import { number, t } from '../i18n.js';
import { state } from '../state.js';

/** After the last stroke, as all voxels are counted. */
const REST_MS = 250;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let asked;

export function setUpIntensities() {
  const hint = element('span', { className: 'hint', tabIndex: 0, role: 'note', title: t('sd') }, t('sdShort'));
  const heads = [t('mean'), hint, t('least'), t('most')].map((text) => element('th', { scope: 'col' }, text));
  $('intensity-head').append(...heads);
  details('intensities').addEventListener('toggle', showIntensities);
  state.on('mask', () => {
    $('intensities').hidden = !state.editor?.values;
    showIntensities();
  });
  for (const name of /** @type {const} */ (['voxels', 'labels'])) {
    state.on(name, () => {
      clearTimeout(asked);
      asked = setTimeout(showIntensities, REST_MS);
    });
  }
}

function showIntensities() {
  const { editor } = state;
  if (!editor?.values || !details('intensities').open) return;
  const found = statisticsOf(editor.grid, editor.labels, editor.values);
  const rows = editor.table.map(({ index, name }) => {
    const one = found.get(index);
    const cells = one ? [one.mean, one.sd, one.min, one.max].map(number) : ['–', '–', '–', '–'];
    const row = element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map((text) => element('td', {}, text)));
    row.dataset.index = String(index);
    return row;
  });
  $('intensity-rows').replaceChildren(...rows);
}
