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

/** Whose table is shown; null while it is being drawn. @type {Editor | null} */
let drawn = null;

const rows = () => [...$('classes', HTMLTableSectionElement).rows];

/** Draws the table anew. @param {Editor} editor */
function showLabels(editor) {
  const { tool } = state;
  if (!editor.table.some(({ index }) => index === tool.label)) tool.set({ label: editor.table[0]?.index ?? 1 });
  const typed = editor === drawn ? typing() : undefined;
  drawn = null;
  $('classes').replaceChildren(...editor.table.map((label) => rowOf(editor, label)));
  drawn = editor;
  typed?.();
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
  const show = element('input', { type: 'checkbox', checked: visible, ariaLabel: t('show', { name }) });
  show.onchange = () => keepFocus(() => editor.show(index, show.checked));
  const lock = element('input', { type: 'checkbox', checked: locked, ariaLabel: t('lock', { name }) });
  lock.onchange = () => keepFocus(() => editor.lock(index, lock.checked));
  const head = element(
    'th',
    { scope: 'row' },
    element('span', { className: 'label' }, tick(choice), swatch, nameField(editor, index, name)),
  );
  const row = element('tr', {}, head, element('td', {}, tick(show)), element('td', {}, tick(lock)), element('td', { className: 'volume' }));
  row.dataset.index = String(index);
  return row;
}

/** A name that is being typed while the table is drawn anew, as by a run that ends: what puts it into the new row as it stood. */
function typing() {
  const { activeElement: field } = document;
  if (!(field instanceof HTMLTextAreaElement) || !$('classes').contains(field) || field.value === field.defaultValue) return undefined;
  const { value, selectionStart, selectionEnd } = field;
  const { index } = field.closest('tr')?.dataset ?? {};
  return () => {
    const again = nameIn(index);
    if (!again) return;
    again.value = value;
    again.dispatchEvent(new Event('input'));
    again.focus();
    again.setSelectionRange(selectionStart, selectionEnd);
  };
}

/** @param {string | undefined} index of a label */
const nameIn = (index) =>
  rows()
    .find(({ dataset }) => dataset.index === index)
    ?.querySelector('textarea');

/** A name takes as many lines as it is long, and is one line of text all the same. @param {Editor} editor @param {number} index @param {string} name */
function nameField(editor, index, name) {
  const field = element('textarea', { rows: 1, maxLength: 60, className: 'name', ariaLabel: t('nameOf', { index }) }, name);
  const grows = element('span', { className: 'grows' }, field);
  const follow = () => (grows.dataset.text = field.value);
  follow();
  field.oninput = follow;
  let taken = name;
  // By both: what the page has put back is no change to a browser, and what is changed is left with the row.
  field.onchange = field.onblur = () => {
    if (drawn !== editor) return;
    const next = field.value.replace(/\s+/g, ' ').trim() || name;
    // From here on it is no longer being typed.
    field.value = field.defaultValue = next;
    follow();
    if (next === taken) return;
    taken = next;
    editor.rename(index, next);
  };
  field.onkeydown = (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    // Leaving the field is what changes the name; the row is another one then.
    field.blur();
    nameIn(String(index))?.focus();
  };
  return grows;
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
