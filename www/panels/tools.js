/** Correcting: the toolbar, the pen over the slices, edits of the chosen label, undo and redo. */
/** @import { Editor } from '../edit/editor.js' */
/** @import { EditName } from '../edit/history.js' */
/** @import { Kind, Tool } from '../paint/tool.js' */
/** @import { Overlay } from '../paint/overlay.js' */
/** @import { Key } from '../i18n.js' */
/** @import { Line } from '../paint/pen.js' */
/** @import { Tile } from '../view/tiles.js' */
import { $, button, element, input, onChange, onClick, onInput, press, segments } from '../dom.js';
import { fail } from '../failures.js';
import { number, t } from '../i18n.js';
import { Gestures } from '../paint/gestures.js';
import { outline } from '../paint/overlay.js';
import { Pen } from '../paint/pen.js';
import { isBrush, isForEyes, KINDS } from '../paint/tool.js';
import { state } from '../state.js';
import { rulerAt, rulerLine } from './ruler.js';
import { maximise } from './viewer.js';
import { dragWindow } from './window.js';

/** @type {Record<Kind, Key>} */
const KIND_NAMES = {
  look: 'toolLook',
  measure: 'toolMeasure',
  brush: 'toolBrush',
  erase: 'toolErase',
  threshold: 'toolThreshold',
  fill: 'toolFill',
  island: 'toolIsland',
};

/** @type {Record<EditName, Key>} */
const EDIT_NAMES = {
  run: 'editRun',
  box: 'editBox',
  stroke: 'editStroke',
  erase: 'editErase',
  fill: 'editFill',
  island: 'editIsland',
  largest: 'editLargest',
  smooth: 'editSmooth',
  between: 'editBetween',
  label: 'editLabel',
  delete: 'editDelete',
  merge: 'editMerge',
  import: 'editImport',
  tune: 'editTune',
  revert: 'editRevert',
};

/** @param {Overlay} overlay */
export function setUpTools(overlay) {
  const { tool } = state;
  setUpPen(overlay);
  setUpToolbar();
  onClick('undo', () => undoOrRedo('undo').catch(fail));
  onClick('redo', () => undoOrRedo('redo').catch(fail));
  onClick('smooth', () =>
    edit((editor) => editor.smooth(tool.label, undefined, () => confirm(t('smoothEmpties', { name: nameOf(editor) })))),
  );
  onClick('largest', () => edit((editor) => editor.keepLargest(tool.label)));
  onClick('between', () => edit((editor) => editor.interpolate(tool.label, tool.plane)));
  onClick('delete-label', () => edit((editor) => editor.deleteLabel(tool.label)));
  tool.listen(() => {
    showTool(tool);
    if (!isBrush(tool.kind)) overlay.showRing(null);
  });
  state.on('mask', showTools);
  state.on('opened', showTools);
  state.on('history', showHistory);
  state.on('mask', showWithin);
  state.on('labels', showWithin);
  showTools();
}

/** @param {Overlay} overlay */
function setUpPen(overlay) {
  const { tool } = state;
  // First, as it hears of everything before the pen.
  new Gestures($('stage'), {
    view: () => state.shownView,
    letGo: () => pen.letGo(),
    looks: () => tool.kind === 'look',
    maximise,
    setWindow: dragWindow,
  });
  const pen = new Pen($('stage'), {
    tool,
    tiles: () => state.view?.tiles,
    isInHand: () => tool.kind === 'measure' || (tool.kind !== 'look' && state.editor !== null),
    line: lineOf,
    hover: (tile, place) => {
      const view = state.shownView;
      overlay.showRing(view && tile && place && isBrush(tool.kind) ? outline(view.grid, tile, place, tool.radius) : null);
    },
    ended: refuseLocked,
  });
}

/** What the tool in hand draws. @param {Tile} tile @param {boolean} erases @returns {Line} */
function lineOf(tile, erases) {
  const { editor, tool } = state;
  if (tool.kind === 'measure' || !editor) return rulerLine(tile);
  if (isBrush(tool.kind)) return editor.stroke(tool.brush(tile.plane, erases));
  let isDone = false;
  return {
    to(place) {
      if (!isDone) applyTool(place.map(Math.round), tile.plane);
      isDone = true;
    },
    end: () => {},
  };
}

function setUpToolbar() {
  const { tool } = state;
  segments(
    $('kinds'),
    KINDS.map((kind) => /** @type {const} */ ([kind, t(KIND_NAMES[kind])])),
    (kind) => tool.set({ kind }),
  );
  onInput('size', (field) => tool.set({ radius: sizeOf(field.valueAsNumber) }));
  onChange('ball', (field) => tool.set({ ball: field.checked }));
  const within = $('within', HTMLSelectElement);
  within.onchange = () => tool.set({ within: within.value === '' ? undefined : Number(within.value) });
  ['range-low', 'range-high'].forEach((id, at) => {
    onChange(id, ({ valueAsNumber: value }) => Number.isFinite(value) && tool.set({ range: tool.range.with(at, value) }));
  });
}

/** @param {Tool} tool */
function showTool({ kind, radius, ball, range, within }) {
  press($('kinds'), kind);
  $('stage').dataset.tool = kind;
  input('size').value = String(Math.round(Math.log(radius / 3) / Math.log(1.2) + 5));
  $('size-mm').textContent = t('sizeMm', { mm: number(Math.round(radius * 20) / 10) });
  input('ball').checked = ball;
  // They keep their room, so that the slices do not move under the pointer.
  for (const id of ['size-field', 'ball-field', 'within-field']) $(id).classList.toggle('off', !isBrush(kind));
  $('range-field').classList.toggle('off', kind !== 'threshold');
  const [low, high] = range.map((value) => String(Math.round(value * 100) / 100));
  input('range-low').value = low;
  input('range-high').value = high;
  $('within', HTMLSelectElement).value = String(within ?? '');
}

/** Where brushes may work: everywhere, where nothing is painted, or inside one label. */
function showWithin() {
  const { editor, tool } = state;
  const rows = (editor?.table ?? []).map(({ index, name }) => element('option', { value: String(index) }, t('withinLabel', { name })));
  const some = [/** @type {const} */ (['', 'withinAll']), /** @type {const} */ (['0', 'withinNone'])];
  $('within').replaceChildren(...some.map(([value, key]) => element('option', { value }, t(key))), ...rows);
  const isLeft = tool.within === undefined || editor?.isListed(tool.within);
  tool.set(isLeft ? {} : { within: undefined });
}

/** Brushes go on to the next of the places where they may work. */
export function nextWithin() {
  const { options, selectedIndex } = $('within', HTMLSelectElement);
  const next = options[(selectedIndex + 1) % options.length];
  state.tool.set({ within: next.value === '' ? undefined : Number(next.value) });
  state.announce(t('withinNow', { where: next.textContent }));
}

/** Tools are there from the start, and can be used when there is a mask on slices that can be drawn. */
function showTools() {
  const [canLook, canPaint] = [state.shownView !== null, Boolean(state.editor && state.shownView)];
  for (const one of $('kinds').querySelectorAll('button')) {
    one.disabled = !(isForEyes(/** @type {Kind} */ (one.value)) ? canLook : canPaint);
  }
  if (!canPaint && !(canLook && isForEyes(state.tool.kind))) state.tool.set({ kind: 'look' });
  showHistory();
}

/** Positions of the slider are the steps of the size keys. @param {number} position */
const sizeOf = (position) => 3 * 1.2 ** (position - 5);

/** The tools that are put down and leave no trace: fill, delete island. @param {number[]} place @param {number} plane */
function applyTool(place, plane) {
  const { tool } = state;
  edit((editor) => (tool.kind === 'fill' ? editor.fill(place, tool.label, plane) : editor.removeIsland(place)));
}

/** Uses the tool in hand at the crosshair, or on the way there from `from`. @param {number[]} [from] */
export function useAtCrosshair(from) {
  const { editor, tool, shownView: view } = state;
  if (!view || tool.kind === 'look') return;
  const { place } = view;
  if (tool.kind === 'measure') return from ? undefined : rulerAt(place);
  if (!editor) return;
  if (!isBrush(tool.kind)) return applyTool(place, tool.plane);
  const stroke = editor.stroke(tool.brush(tool.plane));
  if (from) stroke.to(from);
  stroke.to(place);
  stroke.end();
  refuseLocked();
}

/** A brush that paints nothing has a reason, and it is said. */
function refuseLocked() {
  const { editor, tool } = state;
  if (tool.kind === 'erase' || isForEyes(tool.kind) || !editor?.isLocked(tool.label)) return;
  state.announce(t('lockedLabel', { name: nameOf(editor) }));
}

/** The chosen label's. @param {Editor} editor */
const nameOf = ({ table }) => table.find(({ index }) => index === state.tool.label)?.name ?? '';

/** @param {(editor: Editor) => boolean} change */
function edit(change) {
  const { editor } = state;
  if (!editor) return;
  if (!change(editor)) state.announce(t('nothingChanged'));
  refuseLocked();
}

/** @param {'undo' | 'redo'} direction */
export async function undoOrRedo(direction) {
  const entry = await state.editor?.history[direction]();
  if (entry) state.announce(t(direction === 'undo' ? 'undone' : 'redone', { what: t(EDIT_NAMES[entry.name]) }));
}

function showHistory() {
  const { undo, redo } = state.editor?.history.next ?? {};
  const focused = document.activeElement;
  button('undo').disabled = !undo;
  button('redo').disabled = !redo;
  $('undo').title = undo ? t('undoWhat', { what: t(EDIT_NAMES[undo]) }) : '';
  $('redo').title = redo ? t('redoWhat', { what: t(EDIT_NAMES[redo]) }) : '';
  // A button that is disabled under the focus would send the keyboard back to the start of the page.
  if (focused instanceof HTMLButtonElement && focused.disabled && $('tools').contains(focused)) {
    (focused.id === 'undo' && redo ? $('redo') : $('slices')).focus();
  }
}
