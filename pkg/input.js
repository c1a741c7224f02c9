/** Images as the caller gives them, kept so that nobody can change them, and read anew for every try. */
/** @import { Bytes, Input } from './index.js' */
import { InsituError } from './error.js';

/** @typedef {Blob | { hdr: Blob, img: Blob }} Kept what can be read again: files as they are, bytes as a copy */

/**
 * The bytes of an image, in buffers that may be transferred: `bytes` is the whole file, or the header of a pair, whose .img is then
 * in `voxels`.
 * @param {Kept} kept
 */
export async function readInput(kept) {
  if (kept instanceof Blob) return { bytes: await readBlob(kept), name: nameOf(kept) };
  const [bytes, voxels] = await Promise.all([readBlob(kept.hdr), readBlob(kept.img)]);
  return { bytes, voxels, name: nameOf(kept.hdr) };
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

/** @param {Bytes} source @returns {Blob} */
function keepBytes(source) {
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

/** @param {Blob} blob */
async function readBlob(blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    const file = blob instanceof File ? `The file ${blob.name}` : 'The file';
    throw new InsituError('io', `${file} could not be read: it was moved or changed since it was chosen.`, { cause });
  }
}
