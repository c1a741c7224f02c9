/** The road of a volume on the page: opened, planned, segmented, segmented again in a box. What happens when; panels write the words. */
import { InsituError } from 'insitu-seg';
import { showBox } from './boxes.js';
import { showHistory, showTools } from './correct.js';
import { desk, stateOf } from './desk.js';
import { Editor } from './edit/editor.js';
import { gridOf, placeOf } from './edit/grid.js';
import { History } from './edit/history.js';
import { fitOf, showFit } from './fit.js';
import { $ } from './element.js';
import { reportOf } from './give.js';
import { showLabels, showVolumes } from './labels.js';
import { oneFile } from './pair.js';
import * as panel from './panel.js';
import { showTeaching } from './teach.js';
import { bytes, say, seconds } from './words.js';

let drawn = null;
let abort = null;

/** @type {() => void} something changed that is to be kept */
let touched = () => {};
export const onTouched = (listener) => (touched = listener);

/** Shows `thrown` as one sentence; the page stays as it was and can be used. */
export function fail(thrown) {
  if (!(thrown instanceof InsituError)) console.error(thrown);
  panel.showError(thrown.message, thrown.checks);
  panel.setState('error');
}

function withName(thrown, name) {
  if (!(thrown instanceof InsituError) || thrown.message.includes(name)) return thrown;
  return new InsituError(thrown.code, `${name}: ${thrown.message}`, { cause: thrown, checks: thrown.checks });
}

/**
 * Draws the slices of `next`, once: the sample is drawn while the engine is still being loaded. What the engine reads and
 * the viewer does not is open all the same, without slices, and never under those of another image.
 */
export async function draw(next) {
  const { view } = desk;
  if (!view || drawn === next) return;
  try {
    await view.showImage(await oneFile(next.input));
    panel.hideViewNotice();
  } catch (thrown) {
    console.warn(thrown);
    view.clear();
    panel.showViewNotice(say('cannotDraw'));
  }
  drawn = next;
}

/** Makes `next` the open volume, if it can be read; otherwise the one before it stays. */
export async function open(next) {
  if (panel.isBusy() && panel.getState() !== 'loading') return false;
  panel.clearError();
  panel.setState('opening');
  try {
    next.info ??= await desk.segmenter.inspect(next.input);
    refuseChannels(next.info);
    await draw(next);
  } catch (thrown) {
    fail(withName(thrown, next.name));
    return false;
  }
  if (!desk.cases.includes(next)) desk.cases.push(next);
  desk.current = next;
  if (next.saved) bringBack(next);
  panel.showImage(next, next.info);
  showFit(fitOf(desk.segmenter.model, next.info));
  showWindow();
  if (next.editor) showMask(next);
  else {
    desk.view?.hideLabels();
    panel.clearResult();
    showTools();
  }
  panel.setState(next.editor ? 'done' : 'ready');
  showCases();
  if (next.editor) $('plan').textContent = '';
  else forecast(next);
  touched();
  return true;
}

/** At once, not after the button: an image that the model cannot take would be no use here. */
function refuseChannels({ channels, checks }) {
  const { whole, patch } = desk.segmenter.model.stages;
  const wanted = (whole ?? patch).architecture.inputs;
  if (channels === wanted) return;
  const names = [desk.segmenter.model.modalities].flat().join(', ');
  const how = wanted === 1 ? 'save one of them as a 3-D file' : 'save them as one 4-D file, in this order';
  const sentence = `Found ${channels === 1 ? 'one volume' : `${channels} volumes`} in the file, expected ${wanted} (${names}), as the model takes: ${how}.`;
  throw new InsituError('unsupported', sentence, { checks });
}

export function showCases() {
  panel.showCases(desk.cases, desk.current, stateOf, { choose: open, close });
}

/** Takes a volume off the desk; of the last one nothing else could be shown. */
async function close(one) {
  if (panel.isBusy()) return;
  const rest = desk.cases.filter((other) => other !== one);
  if (rest.length === 0 || (one === desk.current && !(await open(rest[0])))) return;
  desk.cases = rest;
  showCases();
  touched();
}

/** Somebody who knows what they want presses the button at once, and need not wait for a forecast of it. */
const HESITATION_MS = 500;

/** What the run will take, said when it is known; a forecast that fails is no reason to stop. */
async function forecast(one) {
  $('plan').textContent = say('planning');
  await new Promise((resolve) => setTimeout(resolve, HESITATION_MS));
  if (desk.current !== one || panel.isBusy() || one.editor) return;
  try {
    const { seconds: time, peakBytes, backend } = await desk.segmenter.plan(one.input);
    if (desk.current !== one) return;
    const where = say(backend === 'webgpu' ? 'planGpu' : 'planCpu');
    $('plan').textContent = say('plan', { seconds: seconds(time * 1000), memory: bytes(peakBytes), backend: where });
  } catch (thrown) {
    $('plan').textContent = '';
    console.warn(thrown);
  }
}

/** Segments the open volume. @param {{ box?: object, name?: string, keep?: (index: number) => boolean }} [options] `box` in voxels of the file */
export async function segment({ box, name = box ? 'box' : 'run', keep } = {}) {
  const one = desk.current;
  panel.clearError();
  abort = new AbortController();
  panel.setState('running');
  try {
    const result = await desk.segmenter.segment(one.input, { signal: abort.signal, onProgress: panel.showProgress, box });
    take(one, result, { name, keep });
    panel.scrollToResult();
    panel.setState('done');
    panel.tell(say('doneIn', { seconds: seconds(result.report.ms) }));
    touched();
  } catch (thrown) {
    if (thrown.code === 'cancelled') {
      panel.setState(one.editor ? 'done' : 'ready');
      panel.tell(say('cancelled'));
    } else {
      fail(withName(thrown, one.name));
    }
  }
  panel.showBackend(desk.segmenter);
}

export const cancel = () => abort?.abort();

/** Segments the open volume with the model as it is now; what a person corrected or found right stays. */
export function again() {
  const { editor, checked } = desk.current;
  const right = [...checked].map((one) => one.split(':').map(Number));
  const inChecked = (index) => right.length > 0 && right.some(([plane, at]) => placeOf(editor.grid, index)[plane] === at);
  return segment({ keep: (index) => editor.corrected(index) || inChecked(index) });
}

/** A result goes into the editor of its volume, which is made with the first. */
function take(one, result, options) {
  one.editor ??= editorOf(one);
  one.result = result;
  one.editor.take(result.labels, result.classes, options);
  showMask(one);
}

function editorOf(one) {
  const { view } = desk;
  const grid = view?.grid ?? gridOf({ dims: one.info.dims, affine: one.info.affine });
  const editor = new Editor(grid, {
    values: view?.grid ? view.values : undefined,
    history: new History({ onChange: () => changed(one) }),
    onVoxels: (box) => desk.current === one && (desk.view?.refresh(box), followVolumes()),
    onTable: () => desk.current === one && (desk.view?.grid && desk.view.setTable(editor.table), showLabels()),
  });
  return editor;
}

/** Once a frame: volumes follow the brush without costing it anything. */
let following = 0;
function followVolumes() {
  following ||= requestAnimationFrame(() => {
    following = 0;
    showVolumes();
  });
}

function changed(one) {
  if (desk.current !== one) return;
  showHistory();
  showCases();
  showTeaching();
  touched();
}

/** Everything that belongs to a mask, of an editor that has one. */
function showMask(one) {
  const { view } = desk;
  if (view?.grid) view.showLabels(one.editor.labels, one.editor.table);
  showLabels();
  showTools();
  panel.showResult(one.result);
  reportOf(one).then((report) => desk.current === one && panel.showReport(report), console.warn);
  showTeaching();
  showBox(one.result.box);
  $('download-png').hidden = !view?.grid;
  if (view?.grid && !(desk.tool.range[1] > desk.tool.range[0])) desk.tool.set({ range: [view.window.low, view.window.high] });
}

/** A volume of the last visit: its mask, labels and facts as they were. */
function bringBack(one) {
  const { labels, base, table, box, result, nifti, nrrd } = one.saved;
  delete one.saved;
  const editor = editorOf(one);
  if (labels.length !== editor.labels.length) return;
  one.editor = editor;
  one.result = { ...result, toNifti: () => nifti, toNrrd: () => nrrd };
  editor.restore({ labels, base, table });
  one.restoredBox = box;
}

function showWindow() {
  if (!desk.view?.grid) return;
  const { low, high } = desk.view.window;
  [$('window-low').value, $('window-high').value] = [low, high].map((value) => Number(value.toPrecision(4)));
}
