/** The table of labels: which is painted, name, colour, shown, locked, and its volume, which follows the brush. */
import { $, element } from './element.js';
import { desk, editor } from './desk.js';
import { milliliters, say } from './words.js';

/** Draws the table anew. While a name is being typed its row must stay, so only the volumes follow then. */
export function showLabels() {
  const one = editor();
  if (!one) return;
  if (!one.table.some(({ index }) => index === desk.tool.label)) desk.tool.set({ label: one.table[0]?.index ?? 1 });
  $('classes').replaceChildren(...one.table.map((row) => rowOf(one, row)));
  showVolumes();
}

function rowOf(one, { index, name, color, visible, locked }) {
  const choice = element('input', {
    type: 'radio',
    name: 'label',
    value: index,
    checked: desk.tool.label === index,
    ariaLabel: say('paintWith', { name }),
    onchange: () => desk.tool.set({ label: index }),
  });
  const picker = element('input', {
    type: 'color',
    value: color,
    ariaLabel: say('colorOf', { name }),
    onchange: ({ target }) => one.recolor(index, target.value),
  });
  const swatch = element('label', { className: 'swatch' }, picker);
  swatch.style.setProperty('--color', color);
  const text = element('input', { type: 'text', value: name, maxLength: 60, className: 'name', ariaLabel: say('nameOf', { index }) });
  text.onchange = () => text.value.trim() && text.value !== name && one.rename(index, text.value.trim());
  const shown = element('input', {
    type: 'checkbox',
    checked: visible,
    ariaLabel: say('show', { name }),
    onchange: ({ target }) => keepFocus(() => one.show(index, target.checked)),
  });
  const held = element('input', {
    type: 'checkbox',
    checked: locked,
    ariaLabel: say('lock', { name }),
    onchange: ({ target }) => keepFocus(() => one.lock(index, target.checked)),
  });
  const volume = element('td', { className: 'volume' });
  const row = element(
    'tr',
    {},
    element('th', { scope: 'row' }, element('span', { className: 'label' }, choice, swatch, text)),
    element('td', {}, shown),
    element('td', {}, held),
    volume,
  );
  row.dataset.index = index;
  return row;
}

/** Runs a change after which the table is drawn anew, and puts the focus back on the same field. */
function keepFocus(change) {
  const { activeElement: active } = document;
  const row = active?.closest?.('#classes tr');
  const nth = row ? [...row.querySelectorAll('input')].indexOf(active) : -1;
  change();
  if (nth >= 0) $('classes').querySelector(`tr[data-index="${row.dataset.index}"]`)?.querySelectorAll('input')[nth]?.focus();
}

export function showVolumes() {
  const one = editor();
  if (!one) return;
  const [a, b, c] = one.grid.affine;
  const mm3 = Math.abs(a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]));
  for (const row of $('classes').children) {
    const voxels = one.counts[row.dataset.index];
    const cell = row.querySelector('.volume');
    cell.textContent = milliliters((voxels * mm3) / 1000);
    cell.title = say('voxels', { count: voxels });
  }
}

/** The chosen label, as the tool has it. */
export function pressLabel() {
  for (const radio of $('classes').querySelectorAll('input[type=radio]')) radio.checked = Number(radio.value) === desk.tool.label;
}
