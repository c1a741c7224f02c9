/** The table of labels: which is painted, name, colour, shown, locked, and its volume, which follows the brush. */
/** @import { Editor } from '../edit/editor.js' */
/** @import { Label } from '../types.js' */
import { $, element, onClick } from '../dom.js';
import { millilitersPerVoxel } from '../edit/grid.js';
import { milliliters, t } from '../i18n.js';
import { state } from '../state.js';
import { shareOfSkull } from './share.js';

export function setUpLabels() {
  state.on('labels', showLabels);
  state.on('mask', (one) => one && showLabels(one.editor));
  state.on('voxels', followVolumes);
  state.tool.listen(markLabel);
  onClick('add-label', () => {
    const index = state.editor?.addLabel();
    if (index) state.tool.set({ label: index });
  });
}

const rows = () => [...$('classes', HTMLTableSectionElement).rows];

/** Draws the table anew. While a name is being typed its row must stay, so only the volumes follow then. @param {Editor} editor */
function showLabels(editor) {
  const { tool } = state;
  if (!editor.table.some(({ index }) => index === tool.label)) tool.set({ label: editor.table[0]?.index ?? 1 });
  $('classes').replaceChildren(...editor.table.map((label) => rowOf(editor, label)));
  showVolumes(editor);
}

/** What a finger meets is larger than the box. @param {HTMLInputElement} box */
const tick = (box) => element('label', { className: 'tick' }, box);

/** @param {Editor} editor @param {Label} label */
function rowOf(editor, { index, name, color, visible, locked }) {
  const { tool } = state;
  const choice = element('input', {
    type: 'radio',
    name: 'label',
    value: String(index),
    checked: tool.label === index,
    ariaLabel: t('paintWith', { name }),
    onchange: () => tool.set({ label: index }),
  });
  const picker = element('input', { type: 'color', value: color, ariaLabel: t('colorOf', { name }) });
  picker.onchange = () => editor.recolor(index, picker.value);
  const swatch = element('label', { className: 'swatch' }, picker);
  swatch.style.setProperty('--color', color);
  const text = element('input', {
    type: 'text',
    value: name,
    title: name,
    maxLength: 60,
    className: 'name',
    ariaLabel: t('nameOf', { index }),
  });
  text.onchange = () => text.value.trim() && text.value !== name && editor.rename(index, text.value.trim());
  const show = element('input', { type: 'checkbox', checked: visible, ariaLabel: t('show', { name }) });
  show.onchange = () => keepFocus(() => editor.show(index, show.checked));
  const lock = element('input', { type: 'checkbox', checked: locked, ariaLabel: t('lock', { name }) });
  lock.onchange = () => keepFocus(() => editor.lock(index, lock.checked));
  const head = element('th', { scope: 'row' }, element('span', { className: 'label' }, tick(choice), swatch, text));
  const row = element('tr', {}, head, element('td', {}, tick(show)), element('td', {}, tick(lock)), element('td', { className: 'volume' }));
  row.dataset.index = String(index);
  return row;
}

/** Runs a change after which the table is drawn anew, and puts the focus back on the same field. @param {() => void} change */
function keepFocus(change) {
  const { activeElement: active } = document;
  const row = rows().find((one) => one.contains(active));
  const nth = row && active instanceof HTMLInputElement ? [...row.querySelectorAll('input')].indexOf(active) : -1;
  change();
  if (nth < 0) return;
  const again = rows().find(({ dataset }) => dataset.index === row?.dataset.index);
  again?.querySelectorAll('input')[nth]?.focus();
}

/** Once a frame: volumes follow the brush without costing it anything. */
let isAsked = false;
function followVolumes() {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    if (!state.editor) return;
    showVolumes(state.editor);
    state.emit('volumes', state.editor);
  });
}

/** @param {Editor} editor */
function showVolumes({ grid, counts }) {
  const perVoxel = millilitersPerVoxel(grid);
  for (const row of rows()) {
    const voxels = counts[Number(row.dataset.index)];
    const cell = row.cells[row.cells.length - 1];
    cell.replaceChildren(milliliters(voxels * perVoxel), ...shareOfSkull(voxels * perVoxel));
    cell.title = t('voxels', { count: voxels });
  }
}

/** The chosen label, as the tool has it. */
function markLabel() {
  for (const row of rows())
    for (const radio of row.querySelectorAll('input')) if (radio.type === 'radio') radio.checked = Number(radio.value) === state.tool.label;
}
