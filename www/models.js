/**
 * The models that the page can run: those that it comes with, those that a person opened, and tuned ones of either. Which one runs is
 * changed here; volumes keep their masks, each of which says what made it.
 */
/** @import { Segmenter } from './types.js' */
import { baseModelOf, createSegmenter, shippedModels } from 'insitu-seg';
import { engine } from './engine.js';
import { pageError } from './errors.js';
import { clearError, fail, withName } from './failures.js';
import { t } from './i18n.js';
import { state } from './state.js';
import { fitAgain, settle } from './workflow.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** What was read of a model's files: all of a model by their names, tuned weights, or both. @typedef {{ from: string, files?: Record<string, Bytes>, delta?: Bytes }} OpenedModel */

/** A model without what was tuned of it; `name`: of its card; `files`, `from`: where it was opened. @typedef {{ name: string, title?: string, files?: Record<string, Bytes>, from?: string }} BaseModel */

/** `delta`: tuned weights over it; null of the one that runs, which has them itself. @typedef {{ base: BaseModel, delta?: Bytes | null, from?: string }} Choice */

/** @type {BaseModel[]} */
const bases = shippedModels.map((name) => ({ name }));

/** Tuned models that do not run now. @type {Choice[]} */
let tuned = [];

/** Of the model that runs; `from`: the file of its tuned weights, where they came from one. @type {Choice} */
let now = { base: bases[0] };

/** The model under all that was tuned. */
export const baseNow = () => now.base;

/** What there is to choose from, and which of it runs. @returns {{ choices: Choice[], chosen: Choice }} */
export function modelChoices() {
  const plain = bases.map((base) => ({ base }));
  const live = state.segmenter?.canRevert ? [{ ...now, delta: null }] : [];
  const chosen = live[0] ?? plain.find(({ base }) => base === now.base) ?? plain[0];
  return { choices: [...plain, ...tuned, ...live], chosen };
}

/** The engine of the page, as its address asks for it. @param {Uint8Array | null} [delta] of a tuned model @param {BaseModel} [base] */
export function newSegmenter(delta, base = now.base) {
  const asked = new URLSearchParams(location.search).get('backend') ?? 'auto';
  const backend = /** @type {'auto' | 'webgpu' | 'cpu'} */ (asked); // another word is refused by name
  const files = base.files && { ...base.files, ...(delta ? { 'tuned.safetensors': delta } : {}) };
  return createSegmenter({ backend, prefetch: true, model: files ?? (delta ? [delta] : base.name) });
}

/** Puts another model in the place of the running one, which stays where the other cannot be had. @param {Uint8Array | null} delta @param {BaseModel} [base] */
export async function replaceModel(delta, base = now.base) {
  const next = await newSegmenter(delta, base);
  runs(next, { base });
}

/** @param {Segmenter} segmenter @param {Choice} choice */
function runs(segmenter, { base, from }) {
  const before = state.segmenter;
  if (!bases.includes(base)) bases.push(base);
  base.title = segmenter.model.title ?? segmenter.model.name;
  now = { base, from };
  state.segmenter = segmenter;
  before?.dispose();
}

/**
 * An engine for what was opened. Tuned weights name the model that they belong to, and fit one of that name only where its weights are the
 * same: the one that runs is tried first.
 * @param {OpenedModel} opened @returns {Promise<{ segmenter: Segmenter, base: BaseModel, delta?: Bytes, from?: string }>}
 */
async function started({ from, files, delta }) {
  if (files) {
    const known = bases.find((one) => one.files && same(one.files['model.json'], files['model.json']));
    const base = known ?? { name: from, files, from };
    const segmenter = await newSegmenter(delta, base);
    base.name = segmenter.model.name;
    return { segmenter, base, delta, ...(delta ? { from } : {}) };
  }
  const name = delta && baseModelOf(delta);
  const fitting = [now.base, ...bases.filter((one) => one !== now.base)].filter((one) => one.name === name);
  let problem = /** @type {unknown} */ (pageError('argument', t('modelNoBase', { name: from, base: name ?? '–' })));
  for (const base of fitting) {
    try {
      return { segmenter: await newSegmenter(delta, base), base, delta, from };
    } catch (thrown) {
      problem = thrown;
    }
  }
  throw problem;
}

/** @param {Uint8Array} a @param {Uint8Array | undefined} b */
const same = (a, b) => a.length === b?.length && a.every((byte, i) => byte === b[i]);

/**
 * The engine that the page begins with: the model of the address, that of the last visit, or the one that the page comes with. `problems`:
 * why it is not one of those before; `take` makes it the one that runs.
 * @param {Promise<OpenedModel | string> | null} linked files, or the name of a model that the page comes with
 * @param {Uint8Array} [kept] tuned weights of the last visit @param {boolean} [isWaiting] whether they did not run at its end
 */
export async function firstSegmenter(linked, kept, isWaiting = false) {
  /** @type {unknown[]} */
  const problems = [];
  const delta = kept && new Uint8Array(kept);
  /** @type {(() => Promise<Choice & { segmenter: Segmenter }>)[]} */
  const attempts = [
    ...(linked ? [async () => startedBy(await linked)] : []),
    ...(delta && !isWaiting ? [() => started({ from: t('modelLastVisit'), delta })] : []),
    async () => ({ segmenter: await newSegmenter(), base: bases[0] }),
  ];
  for (const [i, attempt] of attempts.entries()) {
    try {
      const { segmenter, ...choice } = await attempt();
      // What was tuned at the last visit is still there, whatever runs.
      if (delta && choice.delta !== delta)
        tuned.push({ base: bases.find(({ name }) => name === baseModelOf(delta)) ?? bases[0], delta, from: t('modelLastVisit') });
      return { problems, take: () => runs(segmenter, choice) };
    } catch (thrown) {
      if (i === attempts.length - 1) throw thrown;
      problems.push(thrown);
    }
  }
  throw new Error('unreachable');
}

/** @param {OpenedModel | string} linked */
async function startedBy(linked) {
  if (typeof linked !== 'string') return started(linked);
  const base = bases.find(({ name }) => name === linked) ?? bases[0];
  return { segmenter: await newSegmenter(null, base), base };
}

/** Goes over to what was opened. @param {OpenedModel} opened */
export const useOpened = (opened) => goOver(opened.from, () => started(opened));

/** Goes over to one of the choices. @param {Choice} choice */
export function useChoice(choice) {
  const { base, delta, from } = choice;
  if (delta === null) return Promise.resolve(true);
  return goOver(base.title ?? base.name, async () => {
    const segmenter = await newSegmenter(delta, base);
    tuned = tuned.filter((one) => one !== choice);
    return { segmenter, base, from };
  });
}

/**
 * Another model runs from now on; where it cannot be had the one before does. The volumes keep their masks.
 * @param {string} name @param {() => Promise<Choice & { segmenter: Segmenter }>} start @returns {Promise<boolean>}
 */
async function goOver(name, start) {
  if (state.isBusy) {
    state.announce(t('busy'));
    return false;
  }
  clearError();
  state.status = 'opening';
  state.announce(t('modelLoading', { name }));
  try {
    // What was tuned here is not lost with the engine.
    const left = state.segmenter?.canRevert ? { ...now, delta: new Uint8Array(await engine().saveModel()) } : null;
    const { segmenter, ...choice } = await start();
    if (left) tuned.push(left);
    runs(segmenter, choice);
    settle();
    await fitAgain();
    state.announce(t(state.masked ? 'modelNowMask' : 'modelNow', { title: segmenter.model.title ?? segmenter.model.name }));
    return true;
  } catch (thrown) {
    settle();
    fail(withName(thrown, name));
    return false;
  } finally {
    // Whatever was chosen, what runs is shown.
    state.emit('segmenter', state.segmenter);
    state.emit('marks', undefined);
    state.emit('touched', undefined);
  }
}

/**
 * The tuned weights to be kept for the next visit: of a model that the page comes with, the last that were made or loaded, and whether they
 * wait while another model runs. @returns {Promise<{ delta: Uint8Array | null, isWaiting: boolean }>}
 */
export async function tunedToKeep() {
  if (!now.base.files && state.segmenter?.canRevert) return { delta: await state.segmenter.saveModel(), isWaiting: false };
  return { delta: tuned.findLast(({ base }) => !base.files)?.delta ?? null, isWaiting: true };
}
