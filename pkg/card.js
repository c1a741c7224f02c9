/** A model's card: what it must have to be one, and the files that it lists. */
import { InsituError, messageOf } from './error.js';

/** @import { HashedFile, ModelCard } from './index.js' */

/** @param {Uint8Array} bytes @param {string} where @param {string} [remedy] the end of the sentence where it is none @returns {ModelCard} */
export function parseCard(bytes, where, remedy = '') {
  try {
    const card = JSON.parse(new TextDecoder().decode(bytes));
    const fault = faultIn(card);
    if (fault) throw new Error(fault);
    return card;
  } catch (cause) {
    throw new InsituError('malformed', `Expected a model card (model.json with its stages) at ${where}: ${messageOf(cause)}${remedy}.`, {
      cause,
    });
  }
}

/** What keeps a value from being a card; all else the engine checks. @param {any} card @returns {string | undefined} */
function faultIn(card) {
  if (!isObject(card)) return `found ${kindOf(card)}`;
  if (typeof card.name !== 'string') return `name: found ${kindOf(card.name)}, expected a text`;
  if (!Array.isArray(card.labels)) return `labels: found ${kindOf(card.labels)}, expected a list`;
  if (!isObject(card.stages)) return `stages: found ${kindOf(card.stages)}, expected whole and patch`;
  for (const [place, stage] of [...['whole', 'patch'].map((name) => [`stages.${name}`, card.stages[name]]), ...scanStages(card)]) {
    if (!isObject(stage)) return `${place}: found ${kindOf(stage)}, expected a stage`;
    if (!isObject(stage.architecture)) return `${place}.architecture: found ${kindOf(stage.architecture)}, expected an object`;
    if (!Array.isArray(stage.folds) || stage.folds.length === 0)
      return `${place}.folds: found ${kindOf(stage.folds)}, expected at least one`;
  }
  // A card names files of its own folder and nothing else.
  const odd = [...weightFiles(card), ...scanFiles(card)].find((one) => !isObject(one) || !/^\w[\w.-]*$/.test(one.file));
  return odd === undefined ? undefined : `"${odd?.file}" is no name of a weight file`;
}

/** @param {any} card @returns {[string, any][]} */
const scanStages = ({ scan }) => (scan === undefined || scan === null ? [] : [['scan.whole', scan.whole]]);

/** @param {unknown} value */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param {unknown} value */
function kindOf(value) {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return value === null ? 'null' : `a ${typeof value}`;
}

/**
 * The weight files of the first `count` folds of both stages, each once, with their hashes. One fold of each is what runs.
 * @param {Pick<ModelCard, 'stages'>} card @param {number} [count] @returns {HashedFile[]}
 */
export function weightFiles({ stages: { whole, patch } }, count = Infinity) {
  const folds = [whole, patch].flatMap((stage) => stage.folds.slice(0, count));
  return [...new Map(folds.map((fold) => [fold?.file, fold])).values()];
}

/** The weight files of the network that finds objects in whole scans, where the model takes such. @param {Pick<ModelCard, 'scan'>} card @returns {HashedFile[]} */
export const scanFiles = ({ scan }) => scan?.whole.folds ?? [];

/** The weight files that come later: the fold by which masks and sides are judged, and the network for whole scans, which only they need. @param {Pick<ModelCard, 'scan' | 'stages'>} card @returns {HashedFile[]} */
export const laterFiles = (card) => (card.scan ? [...card.stages.patch.folds.slice(1, 2), ...scanFiles(card).slice(0, 1)] : []);

/**
 * The name of the model that tuned weights belong to; undefined where bytes are no tuned weights.
 * @type {typeof import('./index.js').baseModelOf}
 */
export function baseModelOf(bytes) {
  if (bytes.byteLength < 8) return undefined;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.byteLength - 8) return undefined;
  try {
    const { __metadata__: words } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    return words?.insitu_delta ? JSON.parse(words.about).base : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The names of those of a model's files that are tuned weights.
 * @type {typeof import('./index.js').tunedAmong}
 */
export const tunedAmong = (files) => Object.keys(files).filter((name) => name !== 'model.json' && baseModelOf(files[name]) !== undefined);
