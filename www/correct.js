/** Correcting: the toolbar, the pen over the slices, edits of the chosen label, undo and redo. */
import { $, press, segments } from './element.js';
import { attachPen } from './paint/pen.js';
import { KINDS, isBrush } from './paint/tool.js';
import { outline } from './paint/overlay.js';
import { desk, editor } from './desk.js';
import { pressLabel } from './labels.js';
import { tell } from './panel.js';
import { number, say } from './words.js';

const WORDS = {
  look: 'toolLook',
  brush: 'toolBrush',
  erase: 'toolErase',
  threshold: 'toolThreshold',
  fill: 'toolFill',
  island: 'toolIsland',
};

/** @param {{ overlay: ReturnType<import('./paint/overlay.js').createOverlay> }} parts */
export function setUpCorrecting({ overlay }) {
  const { tool } = desk;
  const stage = $('stage');
  attachPen(stage, {
    tool,
    tiles: () => desk.view?.tiles,
    editor,
    use: put,
    hover: (tile, place) => overlay.showRing(tile && isBrush(tool.kind) ? outline(desk.view.grid, tile, place, tool.radius) : null),
    ended: () => refuseLocked(),
  });

  segments($('kinds'), Object.fromEntries(KINDS.map((kind) => [kind, say(WORDS[kind])])), (kind) => tool.set({ kind }));
  $('size').addEventListener('input', ({ target }) => tool.set({ radius: sizeOf(target.valueAsNumber) }));
  $('ball').addEventListener('change', ({ target }) => tool.set({ ball: target.checked }));
  for (const [id, at] of [
    ['range-low', 0],
    ['range-high', 1],
  ]) {
    $(id).addEventListener(
      'change',
      ({ target }) => Number.isFinite(target.valueAsNumber) && tool.set({ range: tool.range.with(at, target.valueAsNumber) }),
    );
  }
  $('undo').addEventListener('click', () => move('undo'));
  $('redo').addEventListener('click', () => move('redo'));
  $('smooth').addEventListener('click', () => edit((one) => one.smooth(tool.label)));
  $('largest').addEventListener('click', () => edit((one) => one.keepLargest(tool.label)));
  $('between').addEventListener('click', () => edit((one) => one.interpolate(tool.label, tool.plane)));
  $('add-label').addEventListener('click', () => {
    const index = editor().addLabel((value) => say('newLabel', { index: value }));
    if (index) tool.set({ label: index });
  });

  tool.listen(() => {
    press($('kinds'), tool.kind);
    stage.dataset.tool = tool.kind;
    $('size').value = Math.round(Math.log(tool.radius / 3) / Math.log(1.2) + 5);
    $('size-mm').textContent = say('sizeMm', { mm: number(Math.round(tool.radius * 20) / 10) });
    $('ball').checked = tool.ball;
    // They keep their room, so that the slices do not move under the pointer.
    for (const id of ['size-field', 'ball-field']) $(id).classList.toggle('off', !isBrush(tool.kind));
    $('range-field').classList.toggle('off', tool.kind !== 'threshold');
    [$('range-low').value, $('range-high').value] = tool.range.map((value) => Math.round(value * 100) / 100);
    pressLabel();
    if (!isBrush(tool.kind)) overlay.showRing(null);
  });
  showTools();
}

/** Tools are there from the start, and can be taken when there is a mask on slices that can be drawn. */
export function showTools() {
  const can = Boolean(editor() && desk.view?.grid);
  for (const button of $('kinds').children) button.disabled = !can;
  if (!can) desk.tool.set({ kind: 'look' });
  showHistory();
}

/** Positions of the slider are the steps of the size keys. */
const sizeOf = (position) => 3 * 1.2 ** (position - 5);

/** The tools that are put down and leave no trace: fill, delete island. */
function put(place, plane) {
  edit((one) => (desk.tool.kind === 'fill' ? one.fill(place, desk.tool.label, plane) : one.removeIsland(place)));
}

/** Uses the tool in hand at the crosshair, or on the way there from `from`. */
export function useAtCrosshair(from) {
  const one = editor();
  const { tool, view } = desk;
  if (!one || !view?.grid || tool.kind === 'look') return;
  const { place } = view;
  if (!isBrush(tool.kind)) return put(place, tool.plane);
  const stroke = one.stroke(tool.brush(tool.plane));
  if (from) stroke.to(from);
  stroke.to(place);
  stroke.end();
  refuseLocked();
}

/** A brush that paints nothing has a reason, and it is said. */
function refuseLocked() {
  const one = editor();
  if (desk.tool.kind === 'erase' || !one.isLocked(desk.tool.label)) return;
  tell(say('lockedLabel', { name: one.table.find(({ index }) => index === desk.tool.label).name }));
}

function edit(make) {
  const one = editor();
  if (!one) return;
  if (!make(one)) tell(say('nothingChanged'));
  refuseLocked();
}

/** @param {'undo' | 'redo'} what */
export async function move(what) {
  const entry = await editor()?.history[what]();
  if (entry) tell(say(what === 'undo' ? 'undone' : 'redone', { what: say(`did_${entry.name}`) }));
}

export function showHistory() {
  const { undo, redo } = editor()?.history.next ?? {};
  const focused = document.activeElement;
  $('undo').disabled = !undo;
  $('redo').disabled = !redo;
  $('undo').title = undo ? say('undoWhat', { what: say(`did_${undo}`) }) : '';
  $('redo').title = redo ? say('redoWhat', { what: say(`did_${redo}`) }) : '';
  // A button that is disabled under the focus would send the keyboard back to the start of the page.
  if (focused?.disabled && $('tools').contains(focused)) (focused.id === 'undo' && redo ? $('redo') : $('slices')).focus();
}
