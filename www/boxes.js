/** The box of the second network: drawn, dragged, typed, and run again. Voxels of the grid shown. */
import { $, element } from './element.js';
import { boxFromFile, boxToFile } from './edit/grid.js';
import { desk } from './desk.js';
import { say } from './words.js';

const AXES = ['R', 'A', 'S'];

/** A side of the box is never shorter than this, so that it can be taken hold of. */
const SHORTEST = 4;

/** @param {{ run(box: { start: number[], end: number[] }): void }} deeds `box` in voxels of the file */
export function setUpBox({ run }) {
  $('box-show').addEventListener('change', () => desk.view?.draw());
  $('box').addEventListener('toggle', () => desk.view?.draw());
  $('box-run').addEventListener('click', () => {
    const { current } = desk;
    run(boxToFile(current.editor.grid, current.info.dims, current.box));
  });
  $('box-reset').addEventListener('click', () => showBox(desk.current.result.box));
  const fields = AXES.flatMap((name, axis) =>
    ['start', 'end'].map((which) => {
      const input = element('input', { type: 'number', step: 1, ariaLabel: say(which === 'start' ? 'boxFrom' : 'boxTo', { axis: name }) });
      input.dataset.axis = axis;
      input.dataset.which = which;
      input.addEventListener('change', () => {
        if (!Number.isInteger(input.valueAsNumber)) return fill();
        const { box } = desk.current;
        take({ start: [...box.start], end: [...box.end], [which]: box[which].with(axis, input.valueAsNumber) });
      });
      return element('label', {}, element('span', {}, say(which === 'start' ? 'boxFrom' : 'boxTo', { axis: name })), input);
    }),
  );
  $('box-fields').replaceChildren(...fields);
}

/** @param {{ start: number[], end: number[] }} box as a run gives it, in voxels of the file */
export function showBox(box) {
  const { current, view } = desk;
  current.box = boxFromFile(current.editor.grid, current.info.dims, box);
  $('box').hidden = false;
  $('box-show').checked = true;
  fill();
  view?.draw();
}

/** A box that a person made, put right where its sides crossed or left the image. */
export function take({ start, end }) {
  const { current, view } = desk;
  const { dims } = current.editor.grid;
  const low = start.map((at, i) => Math.min(Math.max(0, dims[i] - SHORTEST), Math.max(0, at)));
  const high = end.map((at, i) => Math.min(dims[i], Math.max(Math.min(dims[i], low[i] + SHORTEST), at)));
  current.box = { start: low, end: high };
  fill();
  view?.draw();
}

function fill() {
  const { box, editor } = desk.current;
  for (const input of $('box-fields').querySelectorAll('input')) {
    const { axis, which } = input.dataset;
    Object.assign(input, { value: box[which][axis], min: 0, max: editor.grid.dims[axis] });
  }
}

/** What is drawn now: nothing where the box is not asked for. */
export const drawnBox = () => ($('box').open && $('box-show').checked && desk.current?.editor ? desk.current.box : null);
