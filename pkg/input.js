import { InsituError } from './error.js';

/**
 * The bytes of an image, in a buffer that may be transferred: the caller's own buffer is never detached.
 * @param {File | Blob | ArrayBuffer | Uint8Array | { hdr: unknown, img: unknown }} input
 * @returns {Promise<{ bytes: Uint8Array, name: string }>}
 */
export async function readInput(input) {
  if (input instanceof Blob) return { bytes: await readBlob(input), name: input.name ?? 'image' };
  if (input instanceof ArrayBuffer) return { bytes: new Uint8Array(input.slice(0)), name: 'image' };
  if (ArrayBuffer.isView(input)) {
    const { buffer, byteOffset, byteLength } = input;
    return { bytes: new Uint8Array(buffer, byteOffset, byteLength).slice(), name: 'image' };
  }
  if (input?.hdr && input?.img) {
    throw new InsituError('unsupported', 'An image in two files (.hdr and .img) cannot be read yet: save it as one .nii or .nii.gz file.');
  }
  throw new InsituError('argument', `Expected a File, Blob, ArrayBuffer or Uint8Array, found ${input === null ? 'null' : typeof input}.`);
}

async function readBlob(blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new InsituError('io', `The file ${blob.name ?? ''} could not be read: it was moved or changed since it was chosen.`.replace('  ', ' '), { cause });
  }
}
