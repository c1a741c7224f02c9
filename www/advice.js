/** What to mark next, so that the model learns from it: one sentence's key and what it is filled with. Knows no page. */
/** @import { TuneReport } from 'insitu-seg' */
/** @import { Key } from './i18n.js' */

/** Fewer voxels of a label than this teach the engine nothing of it, and it says so. */
const LEAST_VOXELS = 10;
/** An image that gains so much of a Dice counts for a variant of one's own, as the engine has it (src/tune/acceptance.rs). */
export const OWN_GAIN = 0.01;
/** So many slices of an image can be divided into those that teach and those that are held out. */
const LEAST_SLICES = 3;

/**
 * What is marked of an open volume; `voxels`: of each label by its name.
 * @typedef {{ title: string, slices: number, corrected: number, voxels: Record<string, number> }} Marked
 */

/**
 * What would help most, of what is still missing.
 * @param {readonly Marked[]} marked volumes with a mask, marked or not @param {readonly string[]} labels that the model must learn
 * @param {TuneReport['cause']} [cause] of the last verdict @returns {{ key: Key, values: Record<string, string | number> }}
 */
export function adviceOf(marked, labels, cause) {
  const taught = marked.filter(({ slices, corrected }) => slices + corrected > 0);
  if (taught.length === 0) return { key: 'adviceStart', values: {} };
  const missing = labels.find((name) => taught.reduce((sum, { voxels }) => sum + (voxels[name] ?? 0), 0) < LEAST_VOXELS);
  if (missing !== undefined) return { key: 'adviceLabel', values: { name: missing } };
  if (cause === 'annotations') return { key: 'adviceCheckMasks', values: {} };
  const slices = taught.reduce((sum, one) => sum + one.slices, 0);
  if (slices < LEAST_SLICES) return { key: 'adviceSlices', values: { count: LEAST_SLICES } };
  const other = marked.find((one) => !taught.includes(one));
  if (taught.length === 1 && other) return { key: 'adviceOther', values: { name: other.title } };
  if (cause === 'reference-falls') return { key: taught.length > 1 ? 'adviceConvention' : 'adviceTwoImages', values: {} };
  if (cause === 'no-gain' || cause === 'small-gain' || cause === 'poor-fit') return { key: 'adviceMore', values: {} };
  return { key: taught.length === 1 ? 'adviceReadyOne' : 'adviceReady', values: {} };
}

/** How many images gain clearly. @param {TuneReport['cases']} cases */
export const gainClearly = (cases) => cases.filter(({ dice: { before, after } }) => after - before >= OWN_GAIN).length;
