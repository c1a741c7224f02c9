/**
 * A model: its card, and the weights that the card lists; given, found in the browser's own files, or fetched. With them come
 * the case that tuning must not make worse, where the card has one, and tuned weights, where they are given.
 */
import { fetchBytes, shippedUrl } from './assets.js';
import { openCache } from './cache.js';
import { baseModelOf, laterFiles, parseCard, scanFiles, tunedAmong, weightFiles } from './card.js';
import { InsituError } from './error.js';
import { MODELS } from './shipped.js';

/** @import { HashedFile, ModelCard, Segmenter, SegmenterOptions } from './index.js' */
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
 * @param {NonNullable<SegmenterOptions['model']>} model a shipped name, the URL of a folder or of its model.json, the bytes of its files by their names, or those of model.json and of each weight file in the order it lists them (then of image and labels of its reference case, or not); tuned weights by any name, as the last or the only bytes
 * @param {{ assets?: URL, cache?: boolean, prefetch?: boolean, onFile?: (done: number, total: number) => void }} options
 * @returns {Promise<Model>}
 */
export async function loadModel(model, { assets, cache = true, prefetch = false, onFile = () => {} }) {
  if (Array.isArray(model)) {
    const { delta, base, rest } = splitDelta(/** @type {Bytes[]} */ (model));
    if (base === undefined || rest.length > 0) return { ...modelOf(rest), delta };
    return { ...(await loadModel(base, { assets, cache, prefetch, onFile })), delta };
  }
  if (typeof model === 'object' && !(model instanceof URL)) {
    const { delta, base, files } = splitFiles(/** @type {Record<string, Bytes>} */ (model));
    if (files['model.json'] || base === undefined) return { ...modelOfFiles(files), delta };
    return { ...(await loadModel(base, { assets, cache, prefetch, onFile })), delta };
  }
  const place = modelPlace(model, assets);
  const kept = await openCache(cache);
  const isOurs = isName(model);
  const bytes = await kept.card(place('model.json').href, () => fetchBytes(place('model.json'), 'model.json', { isOurs }));
  const card = parseCard(bytes, place('model.json').href, isOurs ? '; set `assets` to where the package is served' : '');
  const fetched = (/** @type {HashedFile} */ { file, sha256 }, /** @type {string} */ expected) =>
    kept.weights(file, sha256, () => fetchBytes(place(file), expected, { isOurs }));
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
  const base = last instanceof Uint8Array ? baseModelOf(last) : undefined;
  return base === undefined ? { rest: model } : { delta: last, base, rest: model.slice(0, -1) };
}

/** The same of files by their names. @param {Record<string, Bytes>} given */
function splitFiles(given) {
  const [tuned, another] = tunedAmong(given);
  if (another) throw new InsituError('argument', `Expected one file of tuned weights, found ${tuned} and ${another}.`);
  if (!tuned) return { files: given };
  const { [tuned]: delta, ...files } = given;
  return { files, delta, base: baseModelOf(delta) };
}

/** A model that was given as files by their names; those that nothing needs are passed over. @param {Record<string, Bytes>} files @returns {Model} */
function modelOfFiles(files) {
  const found = Object.keys(files).join(', ') || 'none';
  const bytes = files['model.json'];
  if (!bytes)
    throw new InsituError(
      'argument',
      `Expected model.json with the weight files that it lists, or a file of tuned weights, found ${found}.`,
    );
  const card = parseCard(bytes, 'model.json');
  const missing = weightFiles(card, 1).filter(({ file }) => !Object.hasOwn(files, file));
  if (missing.length > 0) {
    const names = missing.map(({ file }) => file).join(', ');
    throw new InsituError(
      'argument',
      `model.json lists ${names}, which ${missing.length > 1 ? 'are' : 'is'} not among the files given: found ${found}.`,
    );
  }
  const another = async (/** @type {string} */ name) => (Object.hasOwn(files, name) ? files[name] : undefined);
  const listed = [...weightFiles(card), ...scanFiles(card)].filter(({ file }) => Object.hasOwn(files, file));
  const parts = card.reference && [card.reference.image, card.reference.labels].map(({ file }) => files[file]);
  const reference = parts?.every(Boolean) ? { image: parts[0], labels: parts[1] } : undefined;
  return { bytes, card, weights: listed.map(({ file }) => [file, files[file]]), more: [], another, reference, from: 'bytes', notes: [] };
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

/** @param {string | URL} model @returns {model is string} */
const isName = (model) => typeof model === 'string' && /^[\w-]+$/.test(model);

/** File name -> URL, for the model's folder. @param {string | URL} model @param {URL} [assets] @returns {(file: string) => URL} */
function modelPlace(model, assets) {
  if (isName(model)) {
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
