/** Images as the caller gives them, kept so that nobody can change them, and read anew for every try. */
/** @import { FileBytes } from './artifacts.js' */
/** @import { Bytes, Input } from './index.js' */
import { asInsituError, InsituError } from './error.js';

/** @typedef {Blob | { hdr: Blob, img: Blob }} Kept what can be read again: files as they are, bytes as a copy */

/** @typedef {{ file: FileBytes, voxels?: FileBytes }} Files `file`: all of an image, or the header of a pair, whose .img is then in `voxels` */

/**
 * An image as it is sent to an engine: a Blob goes without a copy.
 * @param {Kept} kept @returns {Files & { name: string }}
 */
export function imageOf(kept) {
  if (kept instanceof Blob) return { file: kept, name: nameOf(kept) };
  return { file: kept.hdr, voxels: kept.img, name: nameOf(kept.hdr) };
}

/**
 * A call on files, as this thread can read them: a worker reads a Blob piece by piece while the voxels are decoded, any other thread
 * takes all of its bytes first.
 * @template T @param {Files} files @param {(file: FileBytes, voxels?: FileBytes) => Promise<T>} work @returns {Promise<T>}
 */
export async function withFiles({ file, voxels }, work) {
  try {
    return await work(await readable(file), voxels && (await readable(voxels)));
  } catch (thrown) {
    await nameUnreadable(thrown, [file, voxels]);
    throw thrown;
  }
}

/** Throws in words where one of these files is the reason: the engine knows no names. @param {unknown} thrown @param {(FileBytes | undefined)[]} files */
export async function nameUnreadable(thrown, files) {
  if (asInsituError(thrown).code !== 'io') return;
  for (const file of files) if (file instanceof Blob) await readBlob(file.slice(0, 1), file);
}

/** @param {FileBytes} file @returns {Promise<FileBytes>} */
export async function readable(file) {
  return file instanceof Blob && !('FileReaderSync' in globalThis) ? readBlob(file) : file;
}

/**
 * The image as what can be read again.
 * @param {Input} input @returns {Kept}
 */
export function keepInput(input) {
  const { hdr, img } = /** @type {{ hdr?: Bytes, img?: Bytes }} */ (input ?? {});
  if (hdr === undefined && img === undefined) return keepBytes(/** @type {Bytes} */ (input));
  if (hdr === undefined || img === undefined) {
    throw new InsituError('argument', `Expected both halves of a pair, { hdr, img }, found only ${hdr === undefined ? 'img' : 'hdr'}.`);
  }
  return { hdr: keepBytes(hdr), img: keepBytes(img) };
}

/** A file as what can be read again. @param {Bytes} source @returns {Blob} */
export function keepBytes(source) {
  if (source instanceof Blob) return source;
  if (source instanceof ArrayBuffer) return new Blob([source]);
  if (ArrayBuffer.isView(source))
    return new Blob([isShared(source) ? copyOf(source) : /** @type {ArrayBufferView<ArrayBuffer>} */ (source)]);
  throw new InsituError('argument', `Expected a File, Blob, ArrayBuffer or Uint8Array, found ${source === null ? 'null' : typeof source}.`);
}

/** @param {ArrayBufferView} view */
const isShared = ({ buffer }) => !(buffer instanceof ArrayBuffer);

/** A blob takes no view of shared memory. @param {ArrayBufferView} view */
const copyOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));

/** What a kept image is called, and the bytes of its file or files. @param {Kept} kept */
export function describeInput(kept) {
  if (kept instanceof Blob) return { name: nameOf(kept), bytes: kept.size };
  return { name: nameOf(kept.hdr), bytes: kept.hdr.size + kept.img.size };
}

/** @param {Blob} source */
const nameOf = (source) => (source instanceof File && source.name) || 'image';

/** All bytes of a file. @param {Blob} blob @param {Blob} [whole] the file that it is a part of */
export async function readBlob(blob, whole = blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    const file = whole instanceof File ? `The file ${whole.name}` : 'The file';
    throw new InsituError('io', `${file} could not be read: it was moved or changed since it was chosen.`, { cause });
  }
}

/** Left out, the engine's own default holds. @param {number} [maxBytes] */
export function checkBudget(maxBytes) {
  if (maxBytes === undefined || (Number.isFinite(maxBytes) && maxBytes > 0)) return;
  throw new InsituError(
    'argument',
    `maxBytes must be a positive number of bytes, found ${typeof maxBytes === 'number' ? maxBytes : typeof maxBytes}.`,
  );
}
