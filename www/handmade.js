/** What a person made of a mask and said of it: slices found right, for as long as they are what was found; voxels corrected. */
/** @import { Case } from './types.js' */
import { hashOfSlice } from './edit/slice.js';
import { t } from './i18n.js';

/** @param {string} slice as 'plane:slice' */
const placeOfSlice = (slice) => slice.split(':').map(Number);

/** @param {NonNullable<Case['editor']>} editor @param {string} slice */
function hashNow({ grid, labels }, slice) {
  const [plane, at] = placeOfSlice(slice);
  return hashOfSlice(grid, labels, plane, at);
}

/** @type {WeakMap<Case, { version: number, marks: string, slices: Set<string> }>} */
const known = new WeakMap();

/**
 * The slices that a person found right and that still show what they saw: one whose mask changed is not of them, and is again
 * when the change is undone.
 * @param {Case} one @returns {Set<string>}
 */
export function approvedSlices(one) {
  const { editor, checked } = one;
  if (!editor || checked.size === 0) return new Set();
  const marks = [...checked].join();
  const before = known.get(one);
  if (before?.version === editor.version && before.marks === marks) return before.slices;
  const slices = new Set();
  for (const [slice, hash] of checked) {
    const now = hashNow(editor, slice);
    // Of an earlier version's visit, which kept no more than which slice it is.
    if (hash === null) checked.set(slice, now);
    if (hash === null || hash === now) slices.add(slice);
  }
  known.set(one, { version: editor.version, marks, slices });
  return slices;
}

/** Marks a slice as right, or takes the mark off. @param {Case} one @param {string} slice */
export function toggleApproval(one, slice) {
  if (!one.editor) return;
  if (approvedSlices(one).has(slice)) one.checked.delete(slice);
  else one.checked.set(slice, hashNow(one.editor, slice));
}

/**
 * Remembers what a person corrected and found right, and says later, in sentences, what became of it.
 * @param {Case} one
 */
export function rememberHandwork(one) {
  const { editor } = one;
  /** @type {number[]} */
  const at = [];
  if (editor) for (let i = 0; i < editor.labels.length; i++) if (editor.labels[i] !== editor.base[i]) at.push(i);
  const labels = at.map((i) => editor?.labels[i]);
  const approved = approvedSlices(one).size;
  return () => {
    const lost = at.filter((i, k) => editor?.labels[i] !== labels[k]).length;
    const stale = approved - approvedSlices(one).size;
    const sentences = [];
    if (lost > 0) sentences.push(t('correctionsReplaced', { count: lost }));
    else if (at.length > 0) sentences.push(t('correctionsKept', { count: at.length }));
    if (stale > 0) sentences.push(t('approvalsGone', { count: stale }));
    return sentences;
  };
}
