/**
 * Where wasm and other files come from: the `assets` option, or else the folder of this package. Never a CDN.
 * The addresses of this package's own files are those of shipped.js.
 */
/** @import { ModuleName } from './artifacts.js' */
import { InsituError, messageOf } from './error.js';
import { ENGINES } from './shipped.js';

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const compiled = new Map();

/** A compiled engine. It is compiled once and handed to every worker, so that a restart fetches nothing. @param {ModuleName} module @param {URL} [assets] @returns {Promise<WebAssembly.Module>} */
export async function loadWasm(module, assets) {
  const url = assets
    ? new URL(`wasm/${module}/insitu_seg_bg.wasm`, assets)
    : shippedUrl(ENGINES[module], `wasm/${module}/insitu_seg_bg.wasm`);
  const known = compiled.get(url.href);
  if (known) return known;
  const wasm = compile(url);
  compiled.set(url.href, wasm);
  wasm.catch(() => compiled.delete(url.href));
  return wasm;
}

/**
 * Where a file of this package lies. A build that did not ship it leaves an address of the machine on which it was made, or none.
 * @param {() => URL} locate @param {string} file its path in the package, for words
 */
export function shippedUrl(locate, file) {
  let url;
  try {
    url = locate();
  } catch (cause) {
    throw notShipped(file, 'has no address', cause);
  }
  if (url.protocol === 'file:' && globalThis.location?.protocol !== 'file:') throw notShipped(file, `has the address ${url.href}`);
  return url;
}

/** @param {string} file @param {string} found @param {unknown} [cause] */
function notShipped(file, found, cause) {
  const sentence = `${file} of insitu-seg ${found} in this build, expected one on this site: set \`assets\` to where the package is served.`;
  return new InsituError('io', sentence, cause === undefined ? {} : { cause });
}

/** @param {URL} url */
async function compile(url) {
  const response = await get(url);
  try {
    if (response.headers.get('content-type')?.startsWith('application/wasm')) {
      return await WebAssembly.compileStreaming(response);
    }
    const bytes = await bodyOf(response, url);
    refuseHtml(bytes, url, 'a wasm module');
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    if (cause instanceof InsituError) throw cause;
    const old = cause instanceof WebAssembly.CompileError;
    throw new InsituError(old ? 'unsupported' : 'io', `The engine at ${url.href} could not be compiled (${messageOf(cause)}).`, { cause });
  }
}

/** `assets` names a folder, with or without the slash at its end; left out, it is the folder of this package. @param {string | URL} [assets] */
export function folder(assets) {
  if (!assets) return undefined;
  const url = new URL(assets, globalThis.location?.href);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** All of a file. @param {URL} url @param {string} expected what it should be, in words @param {{ isOurs?: boolean }} [options] `isOurs`: a file of this package */
export async function fetchBytes(url, expected, { isOurs = false } = {}) {
  const bytes = await bodyOf(await get(url, isOurs), url);
  refuseHtml(bytes, url, expected, isOurs);
  return bytes;
}

/** What to do about a file of this package that is not there. @param {boolean} isOurs */
const remedy = (isOurs) => (isOurs ? '; set `assets` to where the package is served' : '');

/** @param {URL} url @param {boolean} [isOurs] */
async function get(url, isOurs = true) {
  let response;
  try {
    response = await fetch(url, { credentials: 'same-origin' });
  } catch (cause) {
    throw unreachable(url, cause);
  }
  if (!response.ok)
    throw new InsituError('io', `${url.href} could not be fetched: the server answered ${response.status}${remedy(isOurs)}.`);
  return response;
}

/** @param {Response} response @param {URL} url */
async function bodyOf(response, url) {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw unreachable(url, cause);
  }
}

/** No answer, or half of one: it may be there at the next try. @param {URL} url @param {unknown} cause */
function unreachable(url, cause) {
  const error = new InsituError('io', `${url.href} could not be fetched (${messageOf(cause)}).`, { cause });
  return Object.assign(error, { unreachable: true });
}

/** Servers of single-page apps answer a missing file with their index page and status 200. @param {Uint8Array} bytes @param {URL} url @param {string} expected @param {boolean} [isOurs] */
function refuseHtml(bytes, url, expected, isOurs = true) {
  if (/^\s*<(!doctype|html)/i.test(new TextDecoder().decode(bytes.subarray(0, 64)))) {
    throw new InsituError('io', `${url.href} gave a web page instead of ${expected}${remedy(isOurs)}.`);
  }
}
