/** Tuning the model on what a person corrected or found right, and the way back. Changes the state, and shows nothing. */
/** @import { TuneCase, TuneProgress, TuneReport } from 'insitu-seg' */
/** @import { Editor } from './edit/editor.js' */
/** @import { Labels } from './edit/grid.js' */
/** @import { Marked } from './advice.js' */
/** @import { Case, MaskedCase } from './types.js' */
import { InsituError } from 'insitu-seg';
import { placeOf, toFile } from './edit/grid.js';
import { engine } from './engine.js';
import { clearError } from './failures.js';
import { approvedSlices, toggleApproval } from './handmade.js';
import { t } from './i18n.js';
import { baseNow, replaceModel, useOpened } from './models.js';
import { isMaskOf, objectsOf } from './objects.js';
import { chosenModel } from './open/model.js';
import { titleOf } from './open/names.js';
import { correctedVoxels, hasMask, state } from './state.js';
import { leastSure } from './suggest.js';
import { segmentAgain } from './workflow.js';

/** The label of a voxel that counts for nothing. */
const UNKNOWN = 255;

/** @type {AbortController | null} of the tuning under way */
let abort = null;
/** @type {{ editor: Editor, labels: Labels } | null} a mask before the last tuning */
let before = null;

/** Whether the model can learn from a volume: it does from images of one object, as crops are, and not from whole scans. @param {MaskedCase} one */
export const canTeach = (one) => objectsOf(engine().model, one.result.classes).length === 1;

/**
 * The annotations of a volume, in the order of its file: labels where a person corrected or checked, elsewhere UNKNOWN.
 * @param {Case} one @returns {Uint8Array<ArrayBuffer> | null} null where nothing is marked that can be learned from
 */
function annotationsOf(one) {
  // The labels of another model's mask are not this one's.
  if (!hasMask(one) || !isMaskOf(engine().model, one) || !canTeach(one)) return null;
  const { editor } = one;
  const { grid, labels, base } = editor;
  const marked = new Uint8Array(grid.count);
  const pairs = [...approvedSlices(one)].map((slice) => slice.split(':').map(Number));
  const slices = [0, 1, 2].map((plane) => new Set(pairs.filter(([axis]) => axis === plane).map(([, at]) => at)));
  const any = pairs.length > 0;
  let count = 0;
  for (let i = 0; i < marked.length; i++) {
    const right = labels[i] !== base[i] || (any && placeOf(grid, i).some((at, axis) => slices[axis].has(at)));
    marked[i] = right ? labels[i] : UNKNOWN;
    if (right) count++;
  }
  return count === 0 ? null : toFile(grid, marked);
}

/** The tuned model as it is now; null where it is the shipped one. */
const modelNow = async () => (engine().canRevert ? engine().saveModel() : null);

/**
 * Sets the model to one of those that it was. The volumes have histories of their own and the model is one for all of them, so an entry
 * says which model it leaves, and not how many steps to go back.
 * @param {Uint8Array | null} model as `modelNow` gave it @param {import('./models.js').BaseModel} base what it was tuned of
 */
async function setModel(model, base) {
  if (model || base !== baseNow()) await replaceModel(model, base);
  else while (engine().canRevert) await engine().revert();
  modelChanged();
}

function modelChanged() {
  state.emit('segmenter', state.segmenter);
  state.emit('tuning', 'another');
  marksChanged();
}

/** Marks the slice under the crosshair as right, or takes the mark off. */
export function toggleChecked() {
  const { current, shownView: view, tool } = state;
  if (!current?.editor || !view) return;
  const slice = `${tool.plane}:${view.place[tool.plane]}`;
  toggleApproval(current, slice);
  marksChanged();
}

function marksChanged() {
  state.emit('marks', undefined);
  state.emit('touched', undefined);
}

/** Goes to the slice in which a correction would teach most, of those that nobody has checked. */
export async function goToSuggestion() {
  const { masked, tool, shownView: view } = state;
  if (!masked) return;
  state.status = 'opening';
  const approved = approvedSlices(masked);
  const asked = engine().suggest(masked.input, { slices: 1 + approved.size });
  const { slices, map } = await asked.finally(() => (state.status = 'done'));
  const isOpen = (/** @type {number[]} */ [plane, slice]) => !approved.has(`${plane}:${slice}`);
  const found = slices.map((slice) => gridSliceOf(masked, slice)).find(isOpen) ?? leastSure(masked.editor.grid, map, approved);
  if (!found) return state.emit('suggestion', null);
  const [plane, slice] = found;
  tool.set({ plane });
  if (view) view.goTo(view.place.with(plane, slice));
  state.emit('suggestion', { plane, slice });
}

/** @typedef {{ signal: AbortSignal, onProgress(progress: TuneProgress): void }} Watched */

/** Tunes the model, for some minutes at most. @param {number} minutes @returns {Promise<boolean>} false where nothing is marked */
export const tune = (minutes) => learn((cases, watched) => engine().tune(cases, { ...watched, minutes }));

/** Merges the model with a colleague's. @param {File} file of tuned weights @returns {Promise<boolean>} false where nothing is marked to judge it on */
export const mergeWith = (file) => learn((cases, watched) => engine().merge(file, cases, watched));

/** @param {(cases: TuneCase[], watched: Watched) => Promise<TuneReport>} work */
async function learn(work) {
  const cases = state.cases.flatMap((one) => {
    const labels = annotationsOf(one);
    return labels ? [{ image: one.input, labels, name: titleOf(one) }] : [];
  });
  if (cases.length === 0) return false;
  clearError();
  state.status = 'tuning';
  abort = new AbortController();
  state.emit('tuning', 'started');
  try {
    const earlier = await modelNow();
    const report = await work(cases, { signal: abort.signal, onProgress: (progress) => state.emit('tuning', progress) });
    state.emit('tuning', 'ended');
    state.emit('tuning', report);
    // Nothing else begins before the new mask is there.
    if (report.accepted && state.masked) await accept(state.masked, earlier);
    else state.status = 'done';
  } catch (thrown) {
    state.status = 'done';
    if (!(thrown instanceof InsituError && thrown.code === 'cancelled')) throw thrown;
    state.announce(t('tuneCancelled'), 'teach');
  } finally {
    state.emit('tuning', 'ended');
    state.emit('marks', undefined);
  }
  return true;
}

export const cancelTuning = () => abort?.abort();

/** Goes on with what the last tuning offered, under a name, as it would with an accepted one. @param {string} name */
export async function keepVariant(name) {
  clearError();
  const earlier = await modelNow();
  await engine().keepVariant(name);
  state.emit('segmenter', state.segmenter);
  if (state.masked) await accept(state.masked, earlier);
  else marksChanged();
}

/** What is marked of each volume that has a mask from which can be learned, and how much of each label. @returns {Marked[]} */
export function markedVolumes() {
  return state.cases
    .filter(hasMask)
    .filter(canTeach)
    .map((one) => {
      const [slices, corrected] = [approvedSlices(one).size, correctedVoxels(one)];
      /** @type {Record<string, number>} */
      const voxels = {};
      // A side's labels are those of the model, in its order.
      const { labels } = engine().model;
      if (slices + corrected > 0)
        for (const { index } of one.result.classes) {
          const { name } = labels[(index - 1) % labels.length];
          voxels[name] = (voxels[name] ?? 0) + markedOf(one)[index];
        }
      return { title: titleOf(one), slices, corrected, voxels };
    });
}

/** @type {WeakMap<Case, { version: number, slices: string, counts: Float64Array }>} */
const counted = new WeakMap();

/** Marked voxels by label. @param {MaskedCase} one */
function markedOf(one) {
  const { version } = one.editor;
  const slices = [...approvedSlices(one)].join();
  const before = counted.get(one);
  if (before?.version === version && before.slices === slices) return before.counts;
  const counts = new Float64Array(256);
  for (const label of annotationsOf(one) ?? []) counts[label]++;
  counted.set(one, { version, slices, counts });
  return counts;
}

/** The tuned model segments anew; undone, both model and mask are as they were. @param {MaskedCase} current @param {Uint8Array | null} earlier model */
async function accept({ editor }, earlier) {
  const [tuned, base] = [await modelNow(), baseNow()];
  editor.history.push({ name: 'tune', bytes: tuned?.length ?? 0, undo: () => setModel(earlier, base), redo: () => setModel(tuned, base) });
  before = { editor, labels: editor.labels.slice() };
  await segmentAgain();
  state.emit('comparison', undefined);
  marksChanged();
}

/** Whether the open mask was tuned on, and can be looked at as it was. */
export const canCompare = () => before !== null && before.editor === state.editor;

/** 0: the mask before the tuning, only to be looked at; 1: the one that is worked on. @param {number} at */
export function compare(at) {
  const { shownView: view, editor } = state;
  if (!before || !view || !editor || !canCompare()) return;
  view.showLabels(at === 0 ? before.labels : editor.labels, editor.table);
}

/** All the way back, however often it was tuned. */
export async function revert() {
  const [tuned, base] = [await modelNow(), baseNow()];
  await setModel(null, base);
  const [undo, redo] = [() => setModel(tuned, base), () => setModel(null, base)];
  state.editor?.history.push({ name: 'revert', bytes: tuned?.length ?? 0, undo, redo });
  state.announce(t('reverted'), 'teach');
}

/** @param {File} file of a tuned model, as it was saved */
export async function loadModel(file) {
  if (!(await useOpened(await chosenModel([file])))) return;
  modelChanged();
  state.announce(t('deltaLoaded'), 'teach');
}

/**
 * A slice of the file as the grid shown counts it: [plane, index].
 * @param {MaskedCase} one @param {{ axis: number, index: number }} slice
 */
function gridSliceOf({ editor: { grid }, info }, { axis, index }) {
  const [nx, ny] = info.dims;
  const fileAxisOf = (/** @type {number} */ plane) => [1, nx, nx * ny].lastIndexOf(Math.abs(grid.step[plane]));
  const plane = [0, 1, 2].find((one) => fileAxisOf(one) === axis) ?? axis;
  return [plane, grid.step[plane] > 0 ? index : grid.dims[plane] - 1 - index];
}
