/**
 * Where wasm and weights come from: the `assets` option, or else the folder of this package. Never a CDN.
 * The URLs below are written so that bundlers see them and ship the files.
 */
import { InsituError } from './error.js';

/** @type {Record<import('./index.d.ts').Artifact, () => URL>} */
const ENGINES = {
  gpu: () => new URL('./wasm/gpu/insitu_seg_bg.wasm', import.meta.url),
  cpu: () => new URL('./wasm/cpu/insitu_seg_bg.wasm', import.meta.url),
  threads: () => new URL('./wasm/threads/insitu_seg_bg.wasm', import.meta.url),
};

const compiled = new Map();

/** A compiled engine. It is compiled once and handed to every worker, so that a restart fetches nothing. */
export function loadWasm(artifact, assets) {
  const url = assets ? new URL(`wasm/${artifact}/insitu_seg_bg.wasm`, assets) : ENGINES[artifact]();
  if (!compiled.has(url.href)) {
    const module = compile(url);
    compiled.set(url.href, module);
    module.catch(() => compiled.delete(url.href));
  }
  return compiled.get(url.href);
}

async function compile(url) {
  const response = await get(url);
  try {
    if (response.headers.get('content-type')?.startsWith('application/wasm')) {
      return await WebAssembly.compileStreaming(response);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    refuseHtml(bytes, url, 'a wasm module');
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    if (cause instanceof InsituError) throw cause;
    const old = cause instanceof WebAssembly.CompileError;
    throw new InsituError(old ? 'unsupported' : 'io', `The engine at ${url.href} could not be compiled (${cause.message}).`, { cause });
  }
}

/** `assets` names a folder, with or without the slash at its end; left out, it is the folder of this package. */
export function folder(assets) {
  if (!assets) return undefined;
  const url = new URL(assets, globalThis.location?.href);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/**
 * A model: its card (the bytes of model.json, and parsed) and the weight files that the card lists.
 * @param {string | URL | Uint8Array[]} model a shipped name, the URL of a folder or of its model.json, or the files themselves in that order
 */
export async function loadModel(model, assets) {
  if (Array.isArray(model)) {
    const [bytes, ...files] = model;
    const card = parseCard(bytes, 'the first array of `model`');
    const names = weightFiles(card);
    if (files.length !== names.length) {
      throw new InsituError('argument', `The model card lists ${names.length} weight files (${names.join(', ')}), found ${files.length}.`);
    }
    return { bytes, card, weights: names.map((name, i) => [name, files[i]]) };
  }
  const place = modelPlace(model, assets);
  const bytes = await fetchBytes(place('model.json'), 'model.json');
  const card = parseCard(bytes, place('model.json').href);
  const weights = await Promise.all(weightFiles(card).map(async (name) => [name, await fetchBytes(place(name), 'weights')]));
  return { bytes, card, weights };
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
    weightFiles(card);
    return card;
  } catch (cause) {
    throw new InsituError('malformed', `Expected a model card (model.json with its stages) at ${where}: ${cause.message}.`, { cause });
  }
}

const weightFiles = ({ stages }) => [...new Set([stages.whole, stages.patch].flatMap(({ folds }) => folds.map(({ file }) => file)))];

async function fetchBytes(url, expected) {
  const bytes = new Uint8Array(await (await get(url)).arrayBuffer());
  refuseHtml(bytes, url, expected);
  return bytes;
}

async function get(url) {
  let response;
  try {
    response = await fetch(url, { credentials: 'same-origin' });
  } catch (cause) {
    throw new InsituError('io', `${url.href} could not be fetched (${cause.message}).`, { cause });
  }
  if (!response.ok) throw new InsituError('io', `${url.href} could not be fetched: the server answered ${response.status}; set \`assets\` to where the package is served.`);
  return response;
}

/** Servers of single-page apps answer a missing file with their index page and status 200. */
function refuseHtml(bytes, url, expected) {
  if (/^\s*<(!doctype|html)/i.test(new TextDecoder().decode(bytes.subarray(0, 64)))) {
    throw new InsituError('io', `${url.href} gave a web page instead of ${expected}: set \`assets\` to where the package is served.`);
  }
}
