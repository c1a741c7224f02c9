/** The way of a volume through the page: opened, planned, segmented, segmented again in a box. Changes the state, and shows nothing. */
/** @import { Box, Case, MaskedCase, NamedBox, Result, SavedMask } from './types.js' */
/** @import { EditName } from './edit/history.js' */
import { InsituError } from 'insitu-seg';
import { draw, lookAtMask } from './draw.js';
import { Editor } from './edit/editor.js';
import { gridOf, placeOf } from './edit/grid.js';
import { History } from './edit/history.js';
import { engine } from './engine.js';
import { pageError } from './errors.js';
import { clearError, fail, withName } from './failures.js';
import { forecast } from './forecast.js';
import { approvedSlices, rememberHandwork } from './handmade.js';
import { seconds, t } from './i18n.js';
import {
  amongSeveral,
  boxesOf,
  isMaskOf,
  linkedWhere,
  madeBy,
  mergedResult,
  objectsOf,
  sideBox,
  sidesOf,
  usualBox,
  whereOf,
  withBoxes,
} from './objects.js';
import { titleOf } from './open/names.js';
import { painted } from './painted.js';
import { hasMask, state } from './state.js';

/** @type {AbortController | null} of the run under way */
let abort = null;

/** Makes `next` the open volume, if it can be read; otherwise the one before it stays. @param {Case} next @returns {Promise<boolean>} */
export async function open(next) {
  if (state.isBusy && state.status !== 'loading') {
    state.announce(t('busy'));
    return false;
  }
  clearError();
  try {
    await openNow(next);
    return true;
  } catch (thrown) {
    fail(thrown, 'image');
    return false;
  }
}

/** The same for who has waited until the page was free; throws where it cannot be read. @param {Case} next */
export async function openNow(next) {
  const isFirst = state.status === 'loading';
  state.status = 'opening';
  const name = titleOf(next);
  // What is long, reading a large file among it, begins when it is seen to begin.
  const step = async (/** @type {'check' | 'draw'} */ what) => {
    state.emit('opening', { name, step: what });
    if (!isFirst) await painted();
  };
  try {
    await step('check');
    next.info ??= await inspected(next);
    next.field ??= await engine().fieldOfView(next.input);
    await step('draw');
    await draw(next);
  } catch (thrown) {
    throw withName(thrown, next.name);
  }
  delete next.isBroken;
  state.current = next;
  if (next.saved) restoreMask(next, next.saved);
  state.cases = state.cases.includes(next) ? state.cases : [...state.cases, next];
  state.emit('opened', next);
  if (hasMask(next)) {
    showMask(next);
    lookAtMask(next, objectsIn(next));
  } else {
    state.view?.hideLabels();
    state.emit('mask', null);
    forecast(next);
  }
  settle();
  state.emit('touched', undefined);
}

/** Nothing goes on any more. */
export function settle() {
  if (state.status === 'opening') state.status = state.current?.editor ? 'done' : 'ready';
}

/** What the engine says of a file that the model takes. @param {Case} one */
export async function inspected(one) {
  try {
    const info = await engine().inspect(one.input);
    refuseChannels(info);
    return info;
  } catch (thrown) {
    throw withName(thrown, one.name);
  }
}

/** At once, not after the button: an image that the model cannot use would be no use here. @param {NonNullable<Case['info']>} info */
function refuseChannels({ channels, checks }) {
  const { model } = engine();
  const wanted = model.stages.whole.architecture.inputs;
  if (channels === wanted) return;
  const found = channels === 1 ? t('oneVolume') : t('manyVolumes', { count: channels });
  const names = [model.modalities].flat().join(', ');
  throw pageError('unsupported', t('wrongChannels', { found, wanted, names, how: t(wanted === 1 ? 'saveOne' : 'saveAll') }), { checks });
}

/** The open volume under another model: whether it fits, and what its mask still is. */
export async function fitAgain() {
  for (const one of state.cases) delete one.field;
  const { current } = state;
  if (!current?.info) return;
  current.field = await engine().fieldOfView(current.input);
  state.emit('opened', current);
  if (hasMask(current)) showFacts(current);
  else forecast(current);
  refuseChannels(current.info);
}

/**
 * Segments the open volume; with `box` one object in it and nothing else. Where a person said which side an image of one object
 * shows, `side` or before, it is segmented as that one in the box that it has.
 * @param {{ box?: NamedBox, side?: string, name?: EditName, keep?: (index: number) => boolean }} [options] `keep`: voxels that stay
 * @returns {Promise<'done' | 'cancelled' | 'failed'>}
 */
export async function segment({ box, side, name = box ? 'box' : 'run', keep } = {}) {
  const one = state.current;
  if (!one) return 'cancelled';
  // Boxes and sides of another model's mask are not this one's.
  const where = isOwn(one) ? (box ?? sideBox(one, side ?? one.side)) : undefined;
  clearError();
  abort = new AbortController();
  state.status = 'running';
  /** @type {'done' | 'cancelled' | 'failed'} */
  let outcome = 'done';
  try {
    const { signal } = abort;
    const onProgress = (/** @type {import('insitu-seg').Progress} */ progress) => state.emit('progress', progress);
    const result = await engine().segment(one.input, { signal, onProgress, ...(where ? whereOf(one, where) : linkedWhere(one)) });
    const handwork = rememberHandwork(one);
    const masked = applyResult(one, result, { name, keep, object: box?.object, side });
    if (!keep) lookAtMask(masked, objectsIn(masked), box?.object);
    state.status = 'done';
    state.announce([t('doneIn', { seconds: seconds(result.report.ms) }), ...handwork()].join(' '), 'segment');
    state.emit('result', masked);
    state.emit('touched', undefined);
  } catch (thrown) {
    if (thrown instanceof InsituError && thrown.code === 'cancelled') {
      outcome = 'cancelled';
      state.status = one.editor ? 'done' : 'ready';
      state.announce(t('cancelled'), 'segment');
    } else {
      outcome = 'failed';
      fail(withName(thrown, one.name), 'segment');
    }
  }
  // The engine may be another one now.
  state.emit('segmenter', state.segmenter);
  return outcome;
}

export const cancel = () => abort?.abort();

/** Whether the mask, where there is one, is of the model that runs. @param {Case} one */
const isOwn = (one) => !one.result || isMaskOf(engine().model, one);

/** Segments the open volume, an image of one object, as one of the other side; it is taken as that from now on. */
export async function takeOtherSide() {
  const { masked } = state;
  const sides = masked && sidesOf(engine().model, masked.result);
  if (sides) await segment({ side: sides.other });
}

/** What the model of a mask looked for in the image. @param {Pick<MaskedCase, 'result' | 'madeBy'>} one */
export const objectsIn = ({ result, madeBy }) => objectsOf(madeBy ?? engine().model, result.classes);

/** Segments an object, which was not found, in a box of the usual size around the crosshair. @param {string} object */
export async function segmentAtCrosshair(object) {
  const { masked, shownView: view } = state;
  if (!masked || !view) return;
  const others = amongSeveral(objectsIn(masked), object) && masked.boxes?.filter((box) => box.object !== object);
  await segment({ box: { object, ...usualBox(masked.editor.grid, view.place, engine().model.field_mm, others) } });
}

/** Segments the open volume with the model as it is now; what a person corrected or found right stays. */
export async function segmentAgain() {
  const { masked } = state;
  if (!masked) return;
  const { editor } = masked;
  const right = [...approvedSlices(masked)].map((one) => one.split(':').map(Number));
  const inChecked = (/** @type {number} */ index) =>
    right.length > 0 && right.some(([plane, at]) => placeOf(editor.grid, index)[plane] === at);
  await segment({ keep: (index) => editor.corrected(index) || inChecked(index) });
}

/**
 * A result goes into the editor of its volume, which is made with the first. Where it is that of one object of several, all else
 * stays.
 * @param {Case} one @param {import('insitu-seg').Segmentation} result
 * @param {{ name: EditName, keep?: (index: number) => boolean, object?: string, side?: string }} options `object`: the one that was
 *   asked for; `side`: what a person said the image shows
 */
function applyResult(one, result, { object, side = one.side, ...options }) {
  const editor = (one.editor ??= editorOf(one));
  // Before the first run nothing was said of the mask.
  const before = {
    result: one.result ?? { ...result, warnings: [], timings: [] },
    boxes: one.boxes ?? [],
    side: one.side,
    madeBy: one.madeBy,
  };
  const objects = objectsIn(isOwn(one) ? { result: one.result ?? result, madeBy: one.madeBy } : { result });
  const own = object === undefined || !isOwn(one) ? undefined : amongSeveral(objects, object);
  const fresh = boxesOf(editor.grid, one.info?.dims ?? [], result);
  const after = {
    result: own && one.result ? mergedResult(one.result, result, own.name, objects) : result,
    boxes: own ? withBoxes(objects, before.boxes, fresh) : fresh,
    side,
    madeBy: madeBy(engine().model, engine().canRevert),
  };
  const isThere = (/** @type {number} */ index) => after.result.classes.some((one) => one.index === index);
  const gone = before.result.classes.map(({ index }) => index).filter((index) => !isThere(index));
  // Undone, the mask is that of the run before, and so is what is said of it.
  const also = (/** @type {boolean} */ back) => {
    Object.assign(one, back ? before : after);
    if (state.current === one && hasMask(one)) showFacts(one);
  };
  editor.setMask(result.labels, result.classes, { ...options, only: own?.labels, gone, also });
  const masked = /** @type {MaskedCase} */ (Object.assign(one, after));
  showMask(masked);
  return masked;
}

/** @param {Case} one */
function editorOf(one) {
  const view = state.shownView;
  const grid = view?.grid ?? gridOf({ dims: one.info?.dims ?? [], affine: one.info?.affine ?? [] });
  const isOpen = () => state.current === one;
  /** @type {Editor} */
  const editor = new Editor(grid, {
    values: view?.values,
    history: new History({ onChange: () => isOpen() && changed(editor) }),
    nameOf: (index) => t('newLabel', { index }),
    onVoxels(box) {
      if (!isOpen()) return;
      state.view?.refresh(box);
      state.emit('voxels', box);
    },
    onTable() {
      if (!isOpen()) return;
      state.shownView?.setTable(editor.table);
      state.emit('labels', editor);
    },
  });
  return editor;
}

/** @param {Editor} editor of the open volume, of which something was done or undone */
function changed(editor) {
  state.emit('history', editor);
  state.emit('cases', state.cases);
  state.emit('marks', undefined);
  state.emit('touched', undefined);
}

/** @param {MaskedCase} one */
function showMask(one) {
  const view = state.shownView;
  view?.showLabels(one.editor.labels, one.editor.table);
  showFacts(one);
  if (view && !(state.tool.range[1] > state.tool.range[0])) state.tool.set({ range: [view.window.low, view.window.high] });
}

/** @param {MaskedCase} one */
function showFacts(one) {
  state.emit('mask', one);
  state.setBoxes(isOwn(one) ? (one.boxes ?? chosenBoxes(one)) : []);
}

/** The boxes as the model chose them. @param {MaskedCase} one */
export const chosenBoxes = ({ editor, info, result }) => boxesOf(editor.grid, info.dims, result);

/** A volume of the last visit: its mask, labels and facts as they were. @param {Case} one @param {SavedMask} saved */
function restoreMask(one, { labels, base, table, result, nifti, nrrd }) {
  delete one.saved;
  const editor = editorOf(one);
  if (labels.length !== editor.labels.length) return;
  one.editor = editor;
  one.result = /** @type {Result} */ ({ ...result, toNifti: () => nifti, toNrrd: () => nrrd });
  editor.restore({ labels, base, table });
}
