/** The boxes of the second network, one for each object: drawn, dragged, typed, and run again. Voxels of the grid shown. */
/** @import { DrawnBox } from '../paint/overlay.js' */
/** @import { NamedBox } from '../types.js' */
import { $, details, element, input, onChange, onClick, press, segments } from '../dom.js';
import { t } from '../i18n.js';
import { withBoxes } from '../objects.js';
import { state } from '../state.js';
import { chosenBoxes, objectsIn, segment } from '../workflow.js';
import { nameOfObject } from './words.js';

const AXES = ['R', 'A', 'S'];

/** A side of the box is never shorter than this, so that the pointer can grasp it. */
const SHORTEST = 4;

/** Of a box whose object has no label. */
const PLAIN = '#ffe640';

/** @typedef {{ which: 'start' | 'end', axis: number, field: HTMLInputElement }} Field */

/** @type {Field[]} */
let fields = [];

/** The object whose box is typed and run. */
let chosen = '';

export function setUpBox() {
  const redraw = () => state.view?.draw();
  onChange('box-show', redraw);
  details('box').addEventListener('toggle', redraw);
  onClick('box-run', () => {
    const box = chosenBox();
    if (box) segment({ box });
  });
  onClick('box-reset', () => {
    input('box-show').checked = true;
    const box = state.masked && chosenBoxes(state.masked).find(({ object }) => object === chosen);
    if (box) setBox(box);
  });
  state.on('mask', (one) => {
    input('box-show').checked = true;
    if (!one) showBoxes([]);
  });
  state.on('boxes', (boxes) => {
    showBoxes(boxes);
    redraw();
  });
  fields = AXES.flatMap((name, axis) => [fieldOf('start', name, axis), fieldOf('end', name, axis)]);
  $('box-fields').replaceChildren(...fields.map(({ field }) => element('label', {}, element('span', {}, field.ariaLabel ?? ''), field)));
}

const chosenBox = () => state.masked?.boxes?.find(({ object }) => object === chosen);

/** @param {'start' | 'end'} which @param {string} name @param {number} axis @returns {Field} */
function fieldOf(which, name, axis) {
  const ariaLabel = t(which === 'start' ? 'boxFrom' : 'boxTo', { axis: name });
  const field = element('input', { type: 'number', step: '1', ariaLabel });
  field.addEventListener('change', () => {
    const box = chosenBox();
    if (!box) return;
    if (Number.isInteger(field.valueAsNumber)) changeBox({ ...box, [which]: box[which].with(axis, field.valueAsNumber) });
    else fill(box);
  });
  return { which, axis, field };
}

/** A box that a person made, put right where its sides crossed or left the image; it is the chosen one then. @param {NamedBox} box */
export function changeBox({ object, start, end }) {
  const dims = state.editor?.grid.dims;
  if (!dims) return;
  const low = start.map((at, i) => Math.min(Math.max(0, dims[i] - SHORTEST), Math.max(0, at)));
  const high = end.map((at, i) => Math.min(dims[i], Math.max(Math.min(dims[i], low[i] + SHORTEST), at)));
  chosen = object;
  setBox({ object, start: low, end: high });
}

/** @param {NamedBox} box */
function setBox(box) {
  const { masked } = state;
  if (masked) state.setBoxes(withBoxes(objectsIn(masked), masked.boxes ?? [], [box]));
}

/** Where the model has several objects it is said whose box is meant, and can be chosen. @param {readonly NamedBox[]} boxes */
function showBoxes(boxes) {
  $('box').hidden = boxes.length === 0;
  const box = boxes.find(({ object }) => object === chosen) ?? boxes[0];
  if (!box) return;
  chosen = box.object;
  const names = boxes.map(({ object }) => object);
  const group = $('box-objects');
  if (names.join() !== [...group.querySelectorAll('button')].map(({ value }) => value).join()) {
    segments(
      group,
      names.map((name) => /** @type {const} */ ([name, nameOfObject(name)])),
      choose,
    );
  }
  group.hidden = !state.masked || objectsIn(state.masked).length < 2;
  press(group, chosen);
  fill(box);
}

/** @param {string} name */
function choose(name) {
  chosen = name;
  showBoxes(state.masked?.boxes ?? []);
  state.view?.draw();
}

/** @param {NamedBox} box */
function fill(box) {
  const dims = state.editor?.grid.dims ?? [];
  for (const { which, axis, field } of fields) {
    Object.assign(field, { value: String(box[which][axis]), min: '0', max: String(dims[axis]) });
  }
}

/** What is drawn now, in the colour of each object's first label: nothing where boxes are not asked for. @returns {DrawnBox[]} */
export function drawnBoxes() {
  const { masked, segmenter } = state;
  if (!masked || !segmenter || !details('box').open || !input('box-show').checked) return [];
  const objects = objectsIn(masked);
  const colorOf = (/** @type {string} */ name) => {
    const own = objects.find((one) => one.name === name) ?? objects[0];
    return masked.editor.table.find(({ index }) => index === own.labels[0])?.color ?? PLAIN;
  };
  return (masked.boxes ?? []).map((box) => ({ ...box, color: colorOf(box.object), isChosen: box.object === chosen }));
}
