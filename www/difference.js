/** The mask before an import beside the one that is worked on: what only one of them has, over the slices, in place of the labels. */
/** @import { Editor } from './edit/editor.js' */
/** @import { Labels } from './edit/grid.js' */
/** @import { Box, Label } from './types.js' */
import { compareIn, SIDES } from './edit/difference.js';
import { wholeBox } from './edit/grid.js';
import { state } from './state.js';

/** Apart from each other to every eye, and from the first colours of labels: magenta and lime; white; and grey for what both have. */
export const COLORS = { before: '#ff4fd8', after: '#9dff3c', other: '#ffffff', both: '#8b959e' };

/** @typedef {keyof typeof COLORS} Side */
/** @typedef {{ before: Labels, into: Labels, counts: Float64Array }} Difference */

/** @type {WeakMap<Editor, Difference>} */
const known = new WeakMap();
let isShown = false;

/** @type {Label[]} */
const TABLE = Object.entries(COLORS).map(([name, color]) => ({
  index: SIDES[/** @type {Side} */ (name)],
  name,
  color,
  visible: true,
  locked: false,
  className: null,
}));

/** Keeps the mask before an import; that of an earlier one is forgotten. @param {Editor} editor @param {Labels} before */
export function rememberBefore(editor, before) {
  const counts = new Float64Array(5);
  counts[0] = before.length;
  known.set(editor, { before, into: new Uint8Array(before.length), counts });
  followIn(wholeBox(editor.grid));
}

/** Voxels of each side, of the open volume; null where there is nothing to compare, or both masks are the same. */
export function differenceCounts() {
  const counts = state.editor && known.get(state.editor)?.counts;
  if (!counts || counts[SIDES.before] + counts[SIDES.after] + counts[SIDES.other] === 0) return null;
  return counts;
}

/** Where the open mask changed. @param {Box} box */
export function followIn(box) {
  const { editor, shownView: view } = state;
  const difference = editor && known.get(editor);
  if (!editor || !difference) return;
  compareIn(editor.grid, { ...difference, after: editor.labels }, box);
  if (isShown && !differenceCounts()) showDifference(false);
  else if (isShown) view?.refresh(box);
  state.emit('difference', undefined);
}

export const isDifferenceShown = () => isShown;

/** Whatever else is laid over the slices takes its place. */
export const endDifference = () => (isShown = false);

/** @param {boolean} on */
export function showDifference(on) {
  const { editor, shownView: view } = state;
  const difference = editor && known.get(editor);
  isShown = on && Boolean(difference);
  if (!editor || !view) return;
  if (isShown && difference) view.showLabels(difference.into, TABLE);
  else view.showLabels(editor.labels, editor.table);
}

/** The colours of the labels took those of the difference. */
export function keepColors() {
  if (isShown) state.shownView?.setTable(TABLE);
}
