/** The keys of the viewer. They work while the slices or the tools have the focus, so that they are in nobody's way elsewhere. */

/** Keys, as shown in the list, and the sentence that says what they do. */
export const LIST = [
  ['← → ↑ ↓', 'keyArrows'],
  ['Page Up  Page Down', 'keyPages'],
  ['1 2 3 4 0', 'keyViews'],
  ['V B E T F D', 'keyTools'],
  ['Space', 'keyPaint'],
  ['Shift ← → ↑ ↓', 'keyDrag'],
  ['[ ]', 'keySize'],
  ['X', 'keyShape'],
  ['L', 'keyLabel'],
  ['Ctrl Z  Ctrl Shift Z', 'keyUndo'],
  ['O H', 'keyShow'],
  ['K N', 'keyCheck'],
];

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const LAYOUTS = { 1: 'axial', 2: 'coronal', 3: 'sagittal', 4: 'render', 0: 'all' };
const TOOLS = { v: 'look', b: 'brush', e: 'erase', t: 'threshold', f: 'fill', d: 'island' };

/**
 * @param {HTMLElement} viewer @param {Record<string, (...args: unknown[]) => void>} deeds step(right, up, painting), slice(by), layout(name), tool(kind),
 *   use(), grow(), shrink(), shape(), label(), undo(), redo(), outlines(), hide(), check(), next()
 */
export function attachKeys(viewer, deeds) {
  const act = (event) => {
    const { key, shiftKey } = event;
    const small = key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (small === 'z') return (shiftKey ? deeds.redo : deeds.undo)();
      if (small === 'y') return deeds.redo();
      return false;
    }
    if (event.altKey) return false;
    if (key in ARROWS) return deeds.step(...ARROWS[key], shiftKey);
    if (key === 'PageUp' || key === 'PageDown') return deeds.slice(key === 'PageUp' ? 1 : -1);
    if (key in LAYOUTS) return deeds.layout(LAYOUTS[key]);
    if (small in TOOLS) return deeds.tool(TOOLS[small]);
    const plain = { ' ': 'use', '[': 'shrink', ']': 'grow', x: 'shape', l: 'label', o: 'outlines', h: 'hide', k: 'check', n: 'next' }[
      small
    ];
    return plain ? deeds[plain]() : false;
  };
  // Before NiiVue, which has keys of its own.
  viewer.addEventListener(
    'keydown',
    (event) => {
      const inField = event.target.closest('input, select, textarea');
      const onButton = event.target.closest('button') && [' ', 'Enter'].includes(event.key);
      // A slider keeps its arrows, a field all its keys; undo is everyone's but a text's.
      if (onButton || (inField && !(event.target.type === 'checkbox' && event.key !== ' ') && !(event.ctrlKey || event.metaKey))) return;
      if (inField?.matches('[type=number], [type=text]')) return;
      if (act(event) === false) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
}
