/** The keys of the viewer. They work while the slices or the tools have the focus, so that they are in nobody's way elsewhere. */

/** The keys as they are called, and what they do. @type {readonly (readonly [Key, Key])[]} */
export const KEYS = [
  ['keyArrowsNames', 'keyArrows'],
  ['keyPagesNames', 'keyPages'],
  ['keyViewsNames', 'keyViews'],
  ['keyToolsNames', 'keyTools'],
  ['keyPaintNames', 'keyPaint'],
  ['keyDragNames', 'keyDrag'],
  ['keySizeNames', 'keySize'],
  ['keyShapeNames', 'keyShape'],
  ['keyLabelNames', 'keyLabel'],
  ['keyUndoNames', 'keyUndo'],
  ['keyShowNames', 'keyShow'],
  ['keyCheckNames', 'keyCheck'],
  ['keyDeleteNames', 'keyDelete'],
  ['keyWithinNames', 'keyWithin'],
  ['keyZoomNames', 'keyZoom'],
  ['keyPanNames', 'keyPan'],
  ['keyWindowNames', 'keyWindow'],
  ['keyLayersNames', 'keyLayers'],
];

/** What mouse and fingers do, whatever tool is in hand. @type {readonly (readonly [Key, Key])[]} */
export const HANDS = [
  ['handWheelNames', 'handWheel'],
  ['handZoomNames', 'handZoom'],
  ['handPanNames', 'handPan'],
  ['handWindowNames', 'handWindow'],
  ['handMaximiseNames', 'handMaximise'],
];

/** @typedef {import('../i18n.js').Key} Key */
/** @typedef {import('./tool.js').Kind} Kind */
/** @typedef {import('../view.js').Layout} Layout */

/** @type {Record<string, [right: number, up: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
/** @type {Record<string, Layout>} */
const LAYOUTS = { 1: 'axial', 2: 'coronal', 3: 'sagittal', 4: 'render', 0: 'all' };
/** @type {Record<string, Kind>} */
const TOOLS = { v: 'look', m: 'measure', b: 'brush', e: 'erase', t: 'threshold', f: 'fill', d: 'island' };
/** @type {Record<string, PlainAction>} */
const PLAIN = {
  ...{ ' ': 'use', '[': 'shrink', ']': 'grow', x: 'shape', l: 'label', o: 'outlines', h: 'hide', k: 'check', n: 'next' },
  ...{ delete: 'deleteLabel', p: 'within', w: 'preset', r: 'reset', y: 'second', j: 'difference' },
};
/** Plus without Shift too, where it shares its key. @type {Record<string, number>} */
const ZOOM = { '+': 1, '=': 1, '-': -1, _: -1 };

/** @typedef {'use' | 'grow' | 'shrink' | 'shape' | 'label' | 'outlines' | 'hide' | 'check' | 'next' | 'undo' | 'redo' | 'deleteLabel' | 'within' | 'preset' | 'reset' | 'second' | 'difference'} PlainAction */

/**
 * What the keys do.
 * @typedef {Record<PlainAction, () => void> & {
 *   step(right: number, up: number, painting: boolean): void,
 *   slice(by: number): void,
 *   zoom(steps: number): void,
 *   pan(right: number, up: number): void,
 *   layout(name: Layout): void,
 *   tool(kind: Kind): void,
 * }} Actions
 */

const UNDO = new Set(['z', 'y']);

/** @param {HTMLElement} viewer @param {Actions} actions */
export function attachKeys(viewer, actions) {
  // Before NiiVue, which has keys of its own.
  viewer.addEventListener(
    'keydown',
    (event) => {
      const act = isTheirs(event) ? undefined : actionOf(event, actions);
      if (!act) return;
      act();
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
  // Whatever was pressed last, in the panel too, can be undone by the keys.
  viewer.ownerDocument.addEventListener('keydown', (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && UNDO.has(event.key.toLowerCase());
    if (!isUndo || event.defaultPrevented || isTheirs(event)) return;
    actionOf(event, actions)?.();
    event.preventDefault();
  });
}

/** Whether the key belongs to the field or button under the focus. @param {KeyboardEvent} event */
function isTheirs({ target, key, ctrlKey, metaKey }) {
  if (!(target instanceof Element)) return false;
  if (target.closest('button') && [' ', 'Enter'].includes(key)) return true;
  const field = target.closest('input, select, textarea');
  if (!field) return false;
  if (field.matches('textarea, [type=number], [type=text]')) return true;
  // A slider keeps its arrows, a checkbox its space; undo is everyone's.
  const isCheckbox = field instanceof HTMLInputElement && field.type === 'checkbox';
  return !(isCheckbox && key !== ' ') && !(ctrlKey || metaKey);
}

/** @param {KeyboardEvent} event @param {Actions} actions @returns {(() => void) | undefined} */
function actionOf({ key, shiftKey, ctrlKey, metaKey, altKey }, actions) {
  const small = key.toLowerCase();
  if (ctrlKey || metaKey) {
    if (key in ARROWS) return () => actions.pan(...ARROWS[key]);
    if (small === 'z') return shiftKey ? actions.redo : actions.undo;
    return small === 'y' ? actions.redo : undefined;
  }
  if (altKey) return undefined;
  if (key in ARROWS) return () => actions.step(...ARROWS[key], shiftKey);
  if (key === 'PageUp' || key === 'PageDown') return () => actions.slice(key === 'PageUp' ? 1 : -1);
  if (key in ZOOM) return () => actions.zoom(ZOOM[key]);
  if (key in LAYOUTS) return () => actions.layout(LAYOUTS[key]);
  if (small in TOOLS) return () => actions.tool(TOOLS[small]);
  return small in PLAIN ? actions[PLAIN[small]] : undefined;
}
