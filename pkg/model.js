/**
 * A model: its card, and the weights that the card lists; given, found in the browser's own files, or fetched. With them come
 * the case that tuning must not make worse, where the card has one, and tuned weights, where they are given.
 */
import { fetchBytes, shippedUrl } from './assets.js';
import { openCache } from './cache.js';
import { InsituError, messageOf } from './error.js';
import { MODELS } from './shipped.js';

/** @import { HashedFile, ModelCard, Segmenter } from './index.js' */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/**
 * @typedef {object} Model
 * @property {Bytes} bytes of model.json
 * @property {ModelCard} card the same, parsed
 * @property {[string, Bytes][]} weights
 * @property {[string, Bytes][]} more weights that some images need, as they come
 * @property {(name: string) => Promise<Bytes | undefined>} another gives a file of `more`; nothing where there is none
 * @property {{ image: Bytes, labels: Bytes }} [reference]
 * @property {Bytes} [delta] tuned weights
 * @property {Segmenter['modelFrom']} from where the weights came from
 * @property {string[]} notes what went wrong on the way and was got over, a sentence each
 */

/**
 * @param {string | URL | Uint8Array[]} model a shipped name, the URL of a folder or of its model.json, or the bytes of model.json and of each weight file in the order it lists them (then of image and labels of its reference case, or not); as the last or the only bytes, tuned weights
 * @param {{ assets?: URL, cache?: boolean, prefetch?: boolean, onFile?: (done: number, total: number) => void }} options
 * @returns {Promise<Model>}
 */
export async function loadModel(model, { assets, cache = true, prefetch = false, onFile = () => {} }) {
  if (Array.isArray(model)) {
    const { delta, base, rest } = splitDelta(/** @type {Bytes[]} */ (model));
    if (base === undefined || rest.length > 0) return { ...modelOf(rest), delta };
    return { ...(await loadModel(base, { assets, cache, prefetch, onFile })), delta };
  }
  const place = modelPlace(model, assets);
  const kept = await openCache(cache);
  const bytes = await kept.card(place('model.json').href, () => fetchBytes(place('model.json'), 'model.json'));
  const card = parseCard(bytes, place('model.json').href);
  const fetched = (/** @type {HashedFile} */ { file, sha256 }, /** @type {string} */ expected) =>
    kept.weights(file, sha256, () => fetchBytes(place(file), expected));
  const files = weightFiles(card, 1);
  const later = laterFiles(card).filter((file) => prefetch || !scanFiles(card).includes(file));
  let done = 0;
  const total = files.length + later.length;
  onFile(done, total);
  const named = async (/** @type {HashedFile} */ file) => {
    const content = await fetched(file, 'weights');
    onFile((done += 1), total);
    return /** @type {[string, Bytes]} */ ([file.file, content]);
  };
  const [weights, more] = await Promise.all([files, later].map((list) => Promise.all(list.map(named))));
  const reference = card.reference && {
    image: await fetched(card.reference.image, 'the reference case'),
    labels: await fetched(card.reference.labels, 'the reference case'),
  };
  const another = async (/** @type {string} */ name) => {
    const file = [...weightFiles(card), ...scanFiles(card)].find((one) => one.file === name);
    return file && fetched(file, 'weights');
  };
  return { bytes, card, weights, more, another, reference, from: kept.fetched ? 'network' : 'cache', notes: kept.notes };
}

/** Tuned weights, where they are the last of some bytes, the model that they belong to, and the bytes before. @param {Bytes[]} model */
function splitDelta(model) {
  const last = model.at(-1);
  const base = last instanceof Uint8Array ? baseOfDelta(last) : undefined;
  return base === undefined ? { rest: model } : { delta: last, base, rest: model.slice(0, -1) };
}

/** The name of the model that tuned weights belong to; undefined where bytes are no tuned weights. @param {Bytes} bytes @returns {string | undefined} */
function baseOfDelta(bytes) {
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

/** A model that was given as bytes. @param {Bytes[]} given @returns {Model} */
function modelOf([bytes, ...contents]) {
  const card = parseCard(bytes, 'the first array of `model`');
  // All folds, or the first of each stage, which is what runs; then the reference case, or not.
  const isWeights = (/** @type {Bytes} */ content) => content[8] === 0x7b; // the header of safetensors is JSON
  const fits = (/** @type {string[]} */ { length }) =>
    [length, ...(card.reference ? [length + 2] : [])].includes(contents.length) && contents.slice(0, length).every(isWeights);
  const lists = [Infinity, 1].map((count) => weightFiles(card, count).map(({ file }) => file));
  const names = [[...lists[0], ...scanFiles(card).map(({ file }) => file)], ...lists].find(fits);
  if (!names) {
    const listed = `${lists[0].length} weight files (${lists[0].join(', ')})`;
    throw new InsituError('argument', `The model card lists ${listed}, found ${contents.length}.`);
  }
  const [image, labels] = contents.slice(names.length);
  const reference = image && { image, labels };
  /** @type {[string, Bytes][]} */
  const weights = names.map((name, i) => [name, contents[i]]);
  const another = async (/** @type {string} */ name) => weights.find(([file]) => file === name)?.[1];
  return { bytes, card, weights, more: [], another, reference, from: 'bytes', notes: [] };
}

/** File name -> URL, for the model's folder. @param {string | URL} model @param {URL} [assets] @returns {(file: string) => URL} */
function modelPlace(model, assets) {
  if (typeof model === 'string' && /^[\w-]+$/.test(model)) {
    if (assets) return (file) => new URL(`models/${model}/${file}`, assets);
    return shippedPlace(model);
  }
  const given = new URL(model, globalThis.location?.href);
  if (!given.pathname.endsWith('/model.json') && !given.pathname.endsWith('/')) given.pathname += '/';
  return (file) => new URL(file, given);
}

/** A model of this package; one that someone put beside the shipped ones is found where the package is served as it is. @param {string} model @returns {(file: string) => URL} */
function shippedPlace(model) {
  const files = Object.hasOwn(MODELS, model) ? MODELS[model] : {};
  return (file) => {
    if (Object.hasOwn(files, file)) return shippedUrl(files[file], `models/${model}/${file}`);
    return new URL(`../${model}/${file}`, shippedUrl(MODELS.hippocampus['model.json'], 'models'));
  };
}

/** @param {Bytes} bytes @param {string} where @returns {ModelCard} */
function parseCard(bytes, where) {
  try {
    const card = JSON.parse(new TextDecoder().decode(bytes));
    // A card names files of its own folder and nothing else.
    const odd = [...weightFiles(card), ...scanFiles(card)].find(({ file }) => !/^\w[\w.-]*$/.test(file));
    if (odd) throw new Error(`"${odd.file}" is no name of a weight file`);
    return card;
  } catch (cause) {
    throw new InsituError('malformed', `Expected a model card (model.json with its stages) at ${where}: ${messageOf(cause)}.`, { cause });
  }
}

/**
 * The weight files of the first `count` folds of both stages, each once, with their hashes. One fold of each is what runs.
 * @param {Pick<ModelCard, 'stages'>} card @param {number} [count] @returns {HashedFile[]}
 */
function weightFiles({ stages: { whole, patch } }, count = Infinity) {
  const folds = [whole, patch].flatMap((stage) => stage.folds.slice(0, count));
  return [...new Map(folds.map((fold) => [fold.file, fold])).values()];
}

/** The weight files of the network that finds objects in whole scans, where the model takes such. @param {Pick<ModelCard, 'scan'>} card @returns {HashedFile[]} */
const scanFiles = ({ scan }) => scan?.whole.folds ?? [];

/** The weight files that only some images need: the fold by which sides are judged, and the network for whole scans. @param {Pick<ModelCard, 'scan' | 'stages'>} card @returns {HashedFile[]} */
export const laterFiles = (card) => (card.scan ? [...card.stages.patch.folds.slice(1, 2), ...scanFiles(card).slice(0, 1)] : []);
