/** Teaching: what the person marked, the tuning with its curves, its verdict, and the way back. */
import { $ } from './element.js';
import { correctedVoxels, desk } from './desk.js';
import { drawCurves } from './curves.js';
import { placeOf, toFile } from './edit/grid.js';
import { save } from './files.js';
import * as panel from './panel.js';
import { dice, say } from './words.js';

/** The label of a voxel that counts for nothing. */
const UNKNOWN = 255;

const PLANES = ['viewSagittal', 'viewCoronal', 'viewAxial'];

/**
 * A volume as a teacher gives it, in the order of the file: labels where a person corrected or checked, elsewhere UNKNOWN.
 * @returns {Uint8Array | null} null where nothing is marked
 */
export function taughtLabels({ editor, checked }) {
  if (!editor) return null;
  const { grid, labels, base } = editor;
  const marked = new Uint8Array(grid.count);
  let count = 0;
  const slices = [0, 1, 2].map(
    (plane) =>
      new Set(
        [...checked]
          .map((one) => one.split(':').map(Number))
          .filter(([axis]) => axis === plane)
          .map(([, at]) => at),
      ),
  );
  const any = slices.some(({ size }) => size > 0);
  for (let i = 0; i < marked.length; i++) {
    const right = labels[i] !== base[i] || (any && placeOf(grid, i).some((at, axis) => slices[axis].has(at)));
    marked[i] = right ? labels[i] : UNKNOWN;
    if (right) count++;
  }
  if (count === 0) return null;
  return toFile(grid, marked);
}

/**
 * @param {{ fail(thrown: Error): void, again(): Promise<void>, replace(delta: Uint8Array | null): Promise<void>, touched(): void }} parts `again` segments the
 *   open volume with the model as it is now; `replace` puts a tuned model, or the shipped one, in the place of the running one
 */
export function setUpTeaching({ fail, again, replace, touched }) {
  let abort = null;
  let masks = null; // { before, after } of the last tuning

  $('check-slice').addEventListener('click', toggleChecked);
  $('next-slice').addEventListener('click', () => nextSlice().catch(fail));
  $('tune').addEventListener('click', () => tune().catch(fail));
  $('tune-cancel').addEventListener('click', () => abort?.abort());
  $('revert').addEventListener('click', () => revert().catch(fail));
  $('compare').addEventListener('input', ({ target }) => compare(target.valueAsNumber));
  $('save-delta').addEventListener('click', () => saveDelta().catch(fail));
  $('load-delta').addEventListener('click', () => $('delta-file').click());
  $('delta-file').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    target.value = '';
    if (file) loadDelta(file).catch(fail);
  });

  function toggleChecked() {
    const { current, view, tool } = desk;
    if (!current?.editor || !view?.grid) return;
    const slice = `${tool.plane}:${view.place[tool.plane]}`;
    if (!current.checked.delete(slice)) current.checked.add(slice);
    showTeaching();
    touched();
  }

  async function nextSlice() {
    const { current, segmenter, view, tool } = desk;
    if (typeof segmenter.suggest !== 'function' || !current?.editor) return;
    panel.setState('opening');
    const { slices } = await segmenter.suggest(current.input, { slices: 1 + current.checked.size }).finally(() => panel.setState('done'));
    const found = slices.find((one) => {
      const [plane, slice] = gridSliceOf(current, one);
      return !current.checked.has(`${plane}:${slice}`);
    });
    if (!found) return void ($('next-said').textContent = say('nextSliceNone'));
    const [plane, slice] = gridSliceOf(current, found);
    tool.set({ plane });
    if (view?.grid) view.goTo(view.place.with(plane, slice));
    $('next-said').textContent = say('nextSliceAt', { slice: slice + 1, plane: say(PLANES[plane]) });
  }

  async function tune() {
    const { segmenter } = desk;
    const cases = desk.cases.map((one) => ({ image: one.input, labels: taughtLabels(one), name: one.name })).filter(({ labels }) => labels);
    if (cases.length === 0) return void ($('teach-found').textContent = say('teachNone'));
    panel.clearError();
    panel.setState('tuning');
    abort = new AbortController();
    const points = [];
    showTuning(true);
    try {
      const minutes = Math.max(0.05, $('minutes').valueAsNumber || 2);
      const report = await segmenter.tune(cases, {
        signal: abort.signal,
        minutes,
        onProgress: (progress) => showProgress(progress, points),
      });
      panel.setState('done');
      showTuning(false);
      showVerdict(report);
      if (report.accepted) await accept();
    } catch (thrown) {
      panel.setState('done');
      if (thrown.code !== 'cancelled') throw thrown;
      panel.tell(say('tuneCancelled'));
    } finally {
      showTuning(false);
      showTeaching();
    }
  }

  /** The tuned model segments anew; undone, both model and mask are as they were. */
  async function accept() {
    const { current } = desk;
    const after = await desk.segmenter.saveModel();
    const undo = () => desk.segmenter.revert().then(changed);
    current.editor.history.push({ name: 'tune', bytes: after.length, undo, redo: () => replace(after).then(changed) });
    masks = { before: current.editor.labels.slice() };
    await again();
    $('compare').value = 1;
    $('compare-field').hidden = false;
    changed();
  }

  function changed() {
    showTeaching();
    touched();
  }

  /** 0: the mask before the tuning, only to be looked at; 1: the one that is worked on. */
  function compare(at) {
    const { view, current } = desk;
    if (!masks || !view?.grid) return;
    view.showLabels(at === 0 ? masks.before : current.editor.labels, current.editor.table);
  }

  /** All the way back, however often it was tuned. */
  async function revert() {
    const tuned = await desk.segmenter.saveModel();
    const back = async () => {
      while (desk.segmenter.canRevert) await desk.segmenter.revert();
      changed();
    };
    await back();
    desk.current?.editor?.history.push({ name: 'revert', bytes: tuned.length, undo: () => replace(tuned).then(changed), redo: back });
    panel.tell(say('reverted'));
  }

  async function saveDelta() {
    save(await desk.segmenter.saveModel(), `${desk.segmenter.model.name}-tuned.safetensors`, 'application/octet-stream');
  }

  async function loadDelta(file) {
    panel.clearError();
    await replace(new Uint8Array(await file.arrayBuffer()));
    panel.tell(say('deltaLoaded'));
    changed();
  }
}

function showTuning(on) {
  $('tuning').hidden = !on;
  $('tune-start').hidden = on;
  if (!on) return;
  $('tune-words').textContent = say('tuning');
  panel.showShare($('tune-progress'), $('tune-count'), 0, 0);
  $('curves').hidden = $('verdict').hidden = true;
  $('tune-cancel').focus();
}

/** Progress of a tuning: where it stands, its loss, and the Dice on the voxels that judge as last looked at. */
function showProgress({ done, total, loss, check }, points) {
  panel.showShare($('tune-progress'), $('tune-count'), done, total);
  if (!Number.isFinite(loss) && !Number.isFinite(check)) return;
  points.push({ at: total > 0 ? done / total : points.length, loss, dice: check });
  drawCurves($('curves-svg'), $('curves-words'), points);
  $('curves').hidden = false;
}

/** Accepted or refused, why in the engine's words, and both Dices on the voxels that judged. */
function showVerdict({ accepted, reason, check }) {
  const numbers = check ? ` ${say('diceBefore', { value: dice(check.before) })}. ${say('diceAfter', { value: dice(check.after) })}.` : '';
  $('verdict-words').textContent =
    `${say(accepted ? 'accepted' : 'refused', { why: reason.replace(/^(accepted|refused): /, '').replace(/\.?$/, '.') })}${numbers}`;
  $('verdict').dataset.accepted = String(accepted);
  $('compare-field').hidden = true;
  $('verdict').hidden = false;
}

/** What is marked, and what can be done with it. */
export function showTeaching() {
  const { segmenter, current, view, tool } = desk;
  if (!current?.editor) return;
  const can = typeof segmenter?.tune === 'function';
  const marked = desk.cases
    .map((one) => ({ voxels: correctedVoxels(one), slices: one.checked.size }))
    .filter(({ voxels, slices }) => voxels + slices > 0);
  const sum = (key) => marked.reduce((total, one) => total + one[key], 0);
  const found = say('teachFound', { voxels: sum('voxels'), slices: sum('slices'), cases: marked.length });
  $('teach-found').textContent = can ? (marked.length > 0 ? found : say('teachNone')) : say('tuneAbsent');
  $('tune').disabled = !can || marked.length === 0;
  $('next-slice').hidden = typeof segmenter?.suggest !== 'function';
  $('load-delta').hidden = !can;
  $('revert').hidden = $('save-delta').hidden = $('tuned').hidden = !segmenter?.canRevert;
  const checked = view?.grid && current.checked.has(`${tool.plane}:${view.place[tool.plane]}`);
  $('check-slice').setAttribute('aria-pressed', String(Boolean(checked)));
  $('check-slice').textContent = say(checked ? 'uncheckSlice' : 'checkSlice');
}

const fileAxisOf = ({ step }, [nx, ny], plane) => [1, nx, nx * ny].lastIndexOf(Math.abs(step[plane]));

/** A slice of the file as the grid shown counts it: [plane, index]. */
function gridSliceOf({ editor: { grid }, info }, { axis, index }) {
  const plane = [0, 1, 2].find((one) => fileAxisOf(grid, info.dims, one) === axis);
  return [plane, grid.step[plane] > 0 ? index : grid.dims[plane] - 1 - index];
}
