/** A model: its card, and the weights that the card lists; given, found in the browser's own files, or fetched. */
import { fetchBytes } from './assets.js';
import { openCache } from './cache.js';
import { InsituError } from './error.js';

/**
 * `card` is parsed from `bytes`, those of model.json. `from` says where the weights came from: 'bytes', 'cache' or
 * 'network'; `notes` what went wrong on the way and was got over, a sentence each.
 * @typedef {{ bytes: Uint8Array, card: any, weights: [string, Uint8Array][], from: string, notes: string[] }} Model
 */

/**
 * @param {string | URL | Uint8Array[]} model a shipped name, the URL of a folder or of its model.json, or the bytes of model.json and of each weight file in the order it lists them
 * @param {{ assets?: URL, cache?: boolean, onFile?: (done: number, total: number) => void }} options
 * @returns {Promise<Model>}
 */
export async function loadModel(model, { assets, cache = true, onFile = () => {} }) {
  if (Array.isArray(model)) return given(model);
  const place = modelPlace(model, assets);
  const kept = await openCache(cache);
  const bytes = await kept.card(place('model.json').href, () => fetchBytes(place('model.json'), 'model.json'));
  const card = parseCard(bytes, place('model.json').href);
  const files = weightFiles(card);
  let done = 0;
  onFile(done, files.length);
  const weights = await Promise.all(
    files.map(async ({ file, sha256 }) => {
      const weights = await kept.weights(file, sha256, () => fetchBytes(place(file), 'weights'));
      onFile((done += 1), files.length);
      return [file, weights];
    }),
  );
  return { bytes, card, weights, from: kept.fetched ? 'network' : 'cache', notes: kept.notes };
}

function given([bytes, ...contents]) {
  const card = parseCard(bytes, 'the first array of `model`');
  const names = weightFiles(card).map(({ file }) => file);
  if (contents.length !== names.length) {
    throw new InsituError('argument', `The model card lists ${names.length} weight files (${names.join(', ')}), found ${contents.length}.`);
  }
  return { bytes, card, weights: names.map((name, i) => [name, contents[i]]), from: 'bytes', notes: [] };
}

/** File name -> URL, for the model's folder. */
function modelPlace(model, assets) {
  if (typeof model === 'string' && /^[\w-]+$/.test(model)) {
    if (assets) return (file) => new URL(`models/${model}/${file}`, assets);
    return (file) => new URL(`./models/${model}/${file}`, import.meta.url);
  }
  const given = new URL(model, globalThis.location?.href);
  if (!given.pathname.endsWith('/model.json') && !given.pathname.endsWith('/')) given.pathname += '/';
  return (file) => new URL(file, given);
}

function parseCard(bytes, where) {
  try {
    const card = JSON.parse(new TextDecoder().decode(bytes));
    // A card names files of its own folder and nothing else.
    const odd = weightFiles(card).find(({ file }) => !/^\w[\w.-]*$/.test(file));
    if (odd) throw new Error(`"${odd.file}" is no name of a weight file`);
    return card;
  } catch (cause) {
    throw new InsituError('malformed', `Expected a model card (model.json with its stages) at ${where}: ${cause.message}.`, { cause });
  }
}

/** The weight files of all stages and folds, each once, with their hashes. */
function weightFiles({ stages }) {
  const folds = [stages.whole, stages.patch].flatMap(({ folds }) => folds);
  return [...new Map(folds.map(({ file, sha256 }) => [file, { file, sha256 }])).values()];
}
