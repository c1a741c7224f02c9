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
  const focusAgain = editor === drawn ? fieldInUse() : undefined;
  drawn = null;
  $('classes').replaceChildren(...editor.table.map((label) => rowOf(editor, label)));
  drawn = editor;
  focusAgain?.();
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
  show.onchange = () => editor.show(index, show.checked);
  const lock = element('input', { type: 'checkbox', checked: locked, ariaLabel: t('lock', { name }) });
  lock.onchange = () => editor.lock(index, lock.checked);
  const head = element(
    'th',
    { scope: 'row' },
    element('span', { className: 'label' }, tick(choice), swatch, nameField(editor, index, name)),
  );
  const row = element('tr', {}, head, element('td', {}, tick(show)), element('td', {}, tick(lock)), element('td', { className: 'volume' }));
  row.dataset.index = String(index);
  return row;
}

/** The field that is used while the table is drawn anew, as by a run that ends: what puts the focus into the new row, and a name as it was typed. */
function fieldInUse() {
  const { activeElement: field } = document;
  const row = rows().find((one) => one.contains(field));
  if (!field || !row) return undefined;
  const nth = fieldsOf(row).indexOf(/** @type {HTMLElement} */ (field));
  const typed = field instanceof HTMLTextAreaElement ? typedIn(field) : undefined;
  return () => {
    const again = fieldsOf(rowAt(row.dataset.index))[nth];
    if (typed && again instanceof HTMLTextAreaElement) {
      if (typed.isChanged) again.value = typed.value;
      again.dispatchEvent(new Event('input'));
      again.setSelectionRange(typed.selectionStart, typed.selectionEnd);
    }
    again?.focus();
  };
}

/** @param {HTMLTextAreaElement} field */
function typedIn({ value, defaultValue, selectionStart, selectionEnd }) {
  return { value, selectionStart, selectionEnd, isChanged: value !== defaultValue };
}

/** @param {HTMLTableRowElement | undefined} row @returns {HTMLElement[]} */
const fieldsOf = (row) => (row ? Array.from(row.querySelectorAll('input,textarea'), (one) => /** @type {HTMLElement} */ (one)) : []);

/** @param {string | undefined} index of a label */
const rowAt = (index) => rows().find(({ dataset }) => dataset.index === index);

/** @param {string | undefined} index of a label */
const nameIn = (index) => rowAt(index)?.querySelector('textarea');

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
