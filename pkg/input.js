import { InsituError } from './error.js';

/**
 * The bytes of an image, in buffers that may be transferred: the caller's own are never detached.
 * `bytes` is the whole file, or the header of a pair, whose .img is then in `voxels`.
 * @param {import('./index.d.ts').Input} input
 * @returns {Promise<{ bytes: Uint8Array, voxels?: Uint8Array, name: string }>}
 */
export async function readInput(input) {
  const { hdr, img } = input ?? {};
  if (hdr === undefined && img === undefined) return { bytes: await readBytes(input), name: nameOf(input) };
  if (hdr === undefined || img === undefined) {
    throw new InsituError('argument', `Expected both halves of a pair, { hdr, img }, found only ${hdr === undefined ? 'img' : 'hdr'}.`);
  }
  const [bytes, voxels] = await Promise.all([readBytes(hdr), readBytes(img)]);
  return { bytes, voxels, name: nameOf(hdr) };
}

/**
 * The same image as what can be read again: files as they are, bytes as a copy that no one else can change.
 * @param {import('./index.d.ts').Input} input
 */
export function keepInput(input) {
  const { hdr, img } = input ?? {};
  return hdr === undefined && img === undefined ? keep(input) : { hdr: keep(hdr), img: keep(img) };
}

function keep(source) {
  if (source instanceof ArrayBuffer) return new Blob([source]);
  if (!ArrayBuffer.isView(source)) return source;
  return new Blob([source.buffer instanceof ArrayBuffer ? source : copyOf(source)]);
}

/** What a kept image is called, and the bytes of its file or files. */
export function describeInput(kept) {
  const { hdr, img } = kept;
  return hdr === undefined ? { name: nameOf(kept), bytes: kept.size } : { name: nameOf(hdr), bytes: hdr.size + img.size };
}

const copyOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength).slice();

const nameOf = (source) => (source instanceof Blob && source.name) || 'image';

async function readBytes(source) {
  if (source instanceof Blob) return readBlob(source);
  if (source instanceof ArrayBuffer) return new Uint8Array(source.slice(0));
  if (ArrayBuffer.isView(source)) return copyOf(source);
  throw new InsituError('argument', `Expected a File, Blob, ArrayBuffer or Uint8Array, found ${source === null ? 'null' : typeof source}.`);
}

async function readBlob(blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new InsituError(
      'io',
      `The file ${blob.name ?? ''} could not be read: it was moved or changed since it was chosen.`.replace('  ', ' '),
      { cause },
    );
  }
}
