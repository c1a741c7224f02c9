/** Bytes: of files, packed and unpacked, and one after the other. */

/** @param {Blob | Response} source */
export const bytesOf = async (source) => new Uint8Array(await source.arrayBuffer());

/** Bytes sent through a stream that packs or unpacks them. @param {Blob | Uint8Array<ArrayBuffer>} source @param {CompressionStream | DecompressionStream} stream */
export const through = (source, stream) => bytesOf(new Response(new Blob([source]).stream().pipeThrough(stream)));

/** @param {Uint8Array} bytes at least the first two */
export const isGzipped = ([a, b]) => a === 0x1f && b === 0x8b;

/** @param {Uint8Array} a @param {Uint8Array} b */
export function joined(a, b) {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** A file as it is, or, where it is gzipped, what is in it. @param {Blob} blob */
export const unpacked = async (blob) =>
  isGzipped(await bytesOf(blob.slice(0, 2))) ? through(blob, new DecompressionStream('gzip')) : bytesOf(blob);
