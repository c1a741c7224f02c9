/** The first bytes of files: whether they are what their names say. What is behind them the engine checks. */
import { bytesOf, isGzipped } from '../bytes.js';

/** Bytes that say it. */
const WANTED = 8;
/** Packed bytes that hold more than those. */
const READ = 4096;

/** Whether a file begins as a NIfTI file, the header of a pair or an MGH file does. @param {Blob} file */
export async function beginsAsVolume(file) {
  const head = await firstBytes(file, WANTED);
  if (head.length < 4) return false;
  const view = new DataView(head.buffer, head.byteOffset);
  const isNifti = [348, 540].some((size) => view.getInt32(0, true) === size || view.getInt32(0) === size);
  return isNifti || view.getInt32(0) === 1;
}

/** The first bytes of a file, unpacked where they are packed; fewer where there are no more. @param {Blob} file @param {number} count */
export async function firstBytes(file, count) {
  const bytes = await bytesOf(file.slice(0, READ));
  if (bytes.length < 2 || !isGzipped(bytes)) return bytes.subarray(0, count);
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  let head = new Uint8Array();
  try {
    while (head.length < count) {
      const { value } = await reader.read();
      if (!value) break;
      head = new Uint8Array([...head, ...value.subarray(0, count)]);
    }
  } catch {
    // Of a part of a file the end is missing: what came before counts.
  }
  reader.cancel().catch(() => {});
  return head;
}

const CHUNK = 2 ** 22;

/** Whether two files hold the same. @param {Blob} a @param {Blob} b */
export async function holdTheSame(a, b) {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (let at = 0; at < a.size; at += CHUNK) {
    const [one, other] = await Promise.all([a, b].map((file) => bytesOf(file.slice(at, at + CHUNK))));
    if (one.some((byte, i) => byte !== other[i])) return false;
  }
  return true;
}
