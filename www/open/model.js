/** Models that come in as files: a folder, a zip, tuned weights, or the address of one of these. */
/** @import { Bytes, OpenedModel } from '../models.js' */

import { unzipSync } from 'fflate';
import { shippedModels, tunedAmong } from 'insitu-seg';
import { bytesOf } from '../bytes.js';
import { pageError } from '../errors.js';
import { t } from '../i18n.js';
import { listed } from './names.js';
import { folderOf, lastOf, pathOf } from './paths.js';

const CARD = 'model.json';

/** What a zip may hold unpacked, bytes. */
const MOST = 2 ** 30;

/** A model's files among others: those of one folder, or one that is a model by itself. @typedef {{ name: string, files: File[] }} ModelFiles */

/**
 * Takes the models out of what was given: each model.json with the files that it names beside it, zips, and tuned weights. Its reference
 * case is an image too, and is not opened as one.
 * @param {File[]} files @returns {Promise<{ models: ModelFiles[], rest: File[] }>}
 */
export async function modelsAmong(files) {
  /** @type {ModelFiles[]} */
  const models = [];
  const taken = new Set();
  for (const card of files.filter((file) => file.name === CARD)) {
    const folder = folderOf(pathOf(card));
    const names = filesNamedIn(await card.text().catch(() => ''));
    const own = files.filter((file) => folderOf(pathOf(file)) === folder && (file === card || isWeights(file) || names.has(file.name)));
    for (const file of own) taken.add(file);
    models.push({ name: folder.replace(/\/$/, '') || CARD, files: own });
  }
  for (const file of files) if (!taken.has(file) && (isWeights(file) || isZip(file))) models.push({ name: pathOf(file), files: [file] });
  const parts = new Set(models.flatMap((one) => one.files));
  return { models, rest: files.filter((file) => !parts.has(file)) };
}

/** @param {{ name: string }} file */
const isWeights = ({ name }) => /\.safetensors$/i.test(name);
/** @param {{ name: string }} file */
const isZip = ({ name }) => /\.zip$/i.test(name);

/** The files that a card lists, wherever in it: whatever has a name and a hash. @param {string} text @returns {Set<string>} */
function filesNamedIn(text) {
  /** @type {Set<string>} */
  const names = new Set();
  const look = (/** @type {unknown} */ value) => {
    if (typeof value !== 'object' || value === null) return;
    if ('file' in value && 'sha256' in value && typeof value.file === 'string') names.add(value.file);
    Object.values(value).forEach(look);
  };
  try {
    look(JSON.parse(text));
  } catch {
    // The engine says what is wrong with it.
  }
  return names;
}

/** Reads the one model of some files. @param {ModelFiles} model @returns {Promise<OpenedModel>} */
export async function readModel({ name, files }) {
  const [first] = files;
  const found =
    files.length === 1 && isZip(first)
      ? unpacked(name, await bytesOf(first))
      : Object.fromEntries(await Promise.all(files.map(async (file) => /** @type {const} */ ([file.name, await bytesOf(file)]))));
  return modelOf(name, found);
}

/** @param {string} from @param {Record<string, Bytes>} files by their names @returns {OpenedModel} */
function modelOf(from, files) {
  const tuned = tunedAmong(files);
  if (tuned.length > 1) throw pageError('argument', t('modelManyTuned', { name: from, names: listed(tuned) }));
  const { [tuned[0]]: delta, ...rest } = files;
  if (files[CARD]) return { from, files: rest, delta };
  if (delta) return { from, delta };
  const isLone = Object.keys(files).some((name) => isWeights({ name }));
  throw pageError('argument', t(isLone ? 'modelLoneWeights' : 'modelNone', { name: from }));
}

/** The files of the model in a zip, that of the outermost model.json. @param {string} name @param {Bytes} bytes @returns {Record<string, Bytes>} */
function unpacked(name, bytes) {
  let size = 0;
  const isPart = (/** @type {string} */ path) => /\.(json|safetensors|nii)$/i.test(path) && !/(^|\/)(\.|__MACOSX)/.test(path);
  try {
    const all = unzipSync(bytes, { filter: (file) => isPart(file.name) && (size += file.originalSize) <= MOST });
    const paths = Object.keys(all);
    const depth = (/** @type {string} */ path) => path.split('/').length;
    const card = paths.filter((path) => lastOf(path) === CARD).sort((a, b) => depth(a) - depth(b))[0];
    const own = paths.filter((path) => card === undefined || folderOf(path) === folderOf(card));
    if (size <= MOST) return Object.fromEntries(own.map((path) => [lastOf(path), new Uint8Array(all[path])]));
  } catch (cause) {
    throw pageError('malformed', t('modelBadZip', { name }), { cause });
  }
  throw pageError('limit', t('modelLargeZip', { name }));
}

/** The model of one choice in a picker; a sentence where it is none, or more than one. @param {File[]} files @returns {Promise<OpenedModel>} */
export async function chosenModel(files) {
  const { models } = await modelsAmong(files);
  const names = listed(files.map(pathOf)) || '–';
  if (models.length === 0) throw pageError('argument', t('modelNone', { name: names }));
  return readModel(theOnly(models));
}

/** @param {ModelFiles[]} models */
export function theOnly(models) {
  const folders = models.filter(({ files }) => files.some((file) => file.name === CARD));
  // Weights beside a folder may be what was tuned of it.
  if (models.length === 1 || folders.length === 1) {
    const [first = models[0]] = folders;
    return { name: first.name, files: models.flatMap((one) => (one === first || !one.files.some(isZip) ? one.files : [])) };
  }
  throw pageError('argument', t('modelMany', { names: listed(models.map(({ name }) => name)) }));
}

/**
 * The model that the page's address names, `?model=`: one that the page comes with, or the address of a folder, a zip or tuned weights.
 * @param {string} query @returns {Promise<OpenedModel | string> | null}
 */
export function linkedModel(query) {
  const asked = new URLSearchParams(query).get('model');
  if (!asked) return null;
  return shippedModels.includes(asked) ? Promise.resolve(asked) : fetchModel(asked);
}

/** @param {string} address relative to the page @returns {Promise<OpenedModel>} */
export async function fetchModel(address) {
  if (!URL.canParse(address, location.href)) throw pageError('argument', t('modelLinkBad', { address, names: listed([...shippedModels]) }));
  const url = new URL(address, location.href);
  const from = decodeURIComponent(lastOf(url.pathname.replace(/\/(model\.json)?$/, ''))) || url.href;
  if (isZip({ name: url.pathname }) || isWeights({ name: url.pathname })) {
    return readModel({ name: from, files: [new File([await fetched(url)], from)] });
  }
  if (!/\/(model\.json)?$/.test(url.pathname)) url.pathname += '/';
  const card = await fetched(new URL(CARD, url));
  const text = new TextDecoder().decode(card);
  // Servers of single-page apps answer a missing file with their index page.
  if (/^\s*</.test(text)) throw pageError('io', t('modelLinkNone', { address: url.href }));
  const parts = [...filesNamedIn(text)].map(async (name) => /** @type {const} */ ([name, await fetched(new URL(name, url))]));
  return modelOf(from, { [CARD]: card, ...Object.fromEntries(await Promise.all(parts)) });
}

/** @param {URL} url @returns {Promise<Bytes>} */
async function fetched(url) {
  const response = await fetch(url).catch((thrown) => {
    throw pageError('io', t('linkFailed', { address: url.href, reason: thrown.message }), { cause: thrown });
  });
  if (!response.ok) throw pageError('io', t('modelLinkFailed', { address: url.href, reason: `HTTP ${response.status}` }));
  return new Uint8Array(await response.arrayBuffer());
}
