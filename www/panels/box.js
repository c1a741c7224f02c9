/** The box of the second network: drawn, dragged, typed, and run again. Voxels of the grid shown. */
/** @import { Box } from '../types.js' */
import { $, details, element, input, onChange, onClick } from '../dom.js';
import { boxToFile } from '../edit/grid.js';
import { t } from '../i18n.js';
import { state } from '../state.js';
import { resetBox, segment } from '../workflow.js';

const AXES = ['R', 'A', 'S'];

/** A side of the box is never shorter than this, so that the pointer can grasp it. */
const SHORTEST = 4;

/** @typedef {{ which: 'start' | 'end', axis: number, field: HTMLInputElement }} Field */

/** @type {Field[]} */
let fields = [];

export function setUpBox() {
  const redraw = () => state.view?.draw();
  onChange('box-show', redraw);
  details('box').addEventListener('toggle', redraw);
  onClick('box-run', () => {
    const { masked } = state;
    if (masked?.box) segment({ box: boxToFile(masked.editor.grid, masked.info.dims, masked.box) });
  });
  onClick('box-reset', () => {
    input('box-show').checked = true;
    if (state.masked) resetBox(state.masked);
  });
  state.on('mask', (one) => {
    $('box').hidden = one === null;
    input('box-show').checked = true;
  });
  state.on('box', (box) => {
    fill(box);
    redraw();
  });
  fields = AXES.flatMap((name, axis) => [fieldOf('start', name, axis), fieldOf('end', name, axis)]);
  $('box-fields').replaceChildren(...fields.map(({ field }) => element('label', {}, element('span', {}, field.ariaLabel ?? ''), field)));
}

/** @param {'start' | 'end'} which @param {string} name @param {number} axis @returns {Field} */
function fieldOf(which, name, axis) {
  const ariaLabel = t(which === 'start' ? 'boxFrom' : 'boxTo', { axis: name });
  const field = element('input', { type: 'number', step: '1', ariaLabel });
  field.addEventListener('change', () => {
    const box = state.masked?.box;
    if (!box) return;
    if (Number.isInteger(field.valueAsNumber)) changeBox({ ...box, [which]: box[which].with(axis, field.valueAsNumber) });
    else fill(box);
  });
  return { which, axis, field };
}

/** A box that a person made, put right where its sides crossed or left the image. @param {Box} box */
export function changeBox({ start, end }) {
  const dims = state.editor?.grid.dims;
  if (!dims) return;
  const low = start.map((at, i) => Math.min(Math.max(0, dims[i] - SHORTEST), Math.max(0, at)));
  const high = end.map((at, i) => Math.min(dims[i], Math.max(Math.min(dims[i], low[i] + SHORTEST), at)));
  state.setBox({ start: low, end: high });
}

/** @param {Box} box */
function fill(box) {
  const dims = state.editor?.grid.dims ?? [];
  for (const { which, axis, field } of fields) {
    Object.assign(field, { value: String(box[which][axis]), min: '0', max: String(dims[axis]) });
  }
}

/** What is drawn now: nothing where the box is not asked for. */
export const drawnBox = () => (details('box').open && input('box-show').checked && state.masked?.box) || null;
