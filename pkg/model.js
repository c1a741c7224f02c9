/**
 * A model: its card, and the weights that the card lists; given, found in the browser's own files, or fetched. With them come
 * the case that tuning must not make worse, where the card has one, and tuned weights, where they are given.
 */
import { fetchBytes } from './assets.js';
import { openCache } from './cache.js';
import { InsituError } from './error.js';

/**
 * `card` is parsed from `bytes`, those of model.json. `from` says where the weights came from: 'bytes', 'cache' or
 * 'network'; `notes` what went wrong on the way and was got over, a sentence each.
 * @typedef {{ bytes: Uint8Array, card: any, weights: [string, Uint8Array][], reference?: { image: Uint8Array, labels: Uint8Array }, tuned?: Uint8Array, from: string, notes: string[] }} Model
 */

/**
 * @param {string | URL | Uint8Array[]} model a shipped name, the URL of a folder or of its model.json, or the bytes of model.json and of each weight file in the order it lists them (then of image and labels of its reference case, or not); as the last or the only bytes, tuned weights
 * @param {{ assets?: URL, cache?: boolean, onFile?: (done: number, total: number) => void }} options
 * @returns {Promise<Model>}
 */
export async function loadModel(model, { assets, cache = true, onFile = () => {} }) {
  if (Array.isArray(model)) {
    const { tuned, about, rest } = takeTuned(model);
    if (rest.length > 0) return { ...given(rest), tuned };
    return { ...(await loadModel(about.base, { assets, cache, onFile })), tuned };
  }
  const place = modelPlace(model, assets);
  const kept = await openCache(cache);
  const bytes = await kept.card(place('model.json').href, () => fetchBytes(place('model.json'), 'model.json'));
  const card = parseCard(bytes, place('model.json').href);
  const files = weightFiles(card, 1);
  let done = 0;
  onFile(done, files.length);
  const weights = await Promise.all(
    files.map(async ({ file, sha256 }) => {
      const weights = await kept.weights(file, sha256, () => fetchBytes(place(file), 'weights'));
      onFile((done += 1), files.length);
      return [file, weights];
    }),
  );
  const reference = card.reference && {
    image: await kept.weights(card.reference.image.file, card.reference.image.sha256, () =>
      fetchBytes(place(card.reference.image.file), 'the reference case'),
    ),
    labels: await kept.weights(card.reference.labels.file, card.reference.labels.sha256, () =>
      fetchBytes(place(card.reference.labels.file), 'the reference case'),
    ),
  };
  return { bytes, card, weights, reference, from: kept.fetched ? 'network' : 'cache', notes: kept.notes };
}

/** Tuned weights, where they are the last of some bytes, what their header says, and the bytes before. */
function takeTuned(model) {
  const last = model.at(-1);
  const about = last instanceof Uint8Array ? aboutTuned(last) : undefined;
  return about ? { tuned: last, about, rest: model.slice(0, -1) } : { rest: model };
}

/** What the header of a safetensors file says of tuned weights; undefined where it is no such file. */
function aboutTuned(bytes) {
  if (bytes.byteLength < 8) return undefined;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.byteLength - 8) return undefined;
  try {
    const { __metadata__: words } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    return words?.insitu_delta ? JSON.parse(words.about) : undefined;
  } catch {
    return undefined;
  }
}

function given([bytes, ...contents]) {
  const card = parseCard(bytes, 'the first array of `model`');
  // All folds, or the first of each stage, which is what runs; then the reference case, or not.
  const isWeights = (bytes) => bytes[8] === 0x7b; // the header of safetensors is JSON
  const fits = ({ length }) =>
    [length, ...(card.reference ? [length + 2] : [])].includes(contents.length) && contents.slice(0, length).every(isWeights);
  const lists = [Infinity, 1].map((count) => weightFiles(card, count).map(({ file }) => file));
  const names = lists.find(fits);
  if (!names) {
    throw new InsituError(
      'argument',
      `The model card lists ${lists[0].length} weight files (${lists[0].join(', ')}), found ${contents.length}.`,
    );
  }
  const [image, labels] = contents.slice(names.length);
  const reference = image && { image, labels };
  return { bytes, card, weights: names.map((name, i) => [name, contents[i]]), reference, from: 'bytes', notes: [] };
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

/** The weight files of the first `count` folds of both stages, each once, with their hashes. One fold of each is what runs. */
function weightFiles({ stages }, count = Infinity) {
  const folds = [stages.whole, stages.patch].flatMap(({ folds }) => folds.slice(0, count));
  return [...new Map(folds.map(({ file, sha256 }) => [file, { file, sha256 }])).values()];
}
