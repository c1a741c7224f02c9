/** As much of NIfTI-1 as the tests need, independent of the code under test. */
import { gunzipSync, gzipSync } from 'node:zlib';

const gzipped = (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** @returns {{ dims: number[], sform: number[][], sformCode: number, datatype: number, voxels: Buffer }} voxels: the raw bytes after the header */
export function readNifti(file) {
  const bytes = gzipped(file) ? gunzipSync(file) : file;
  const row = (at) => [0, 4, 8, 12].map((offset) => bytes.readFloatLE(at + offset));
  return {
    dims: [42, 44, 46].map((at) => bytes.readInt16LE(at)),
    datatype: bytes.readInt16LE(70),
    sformCode: bytes.readInt16LE(254),
    sform: [280, 296, 312].map(row),
    voxels: bytes.subarray(bytes.readFloatLE(108)),
  };
}

/** The same file with a fourth dimension of two: its voxels twice. */
export function asFourDimensional(file) {
  const bytes = gunzipSync(file);
  const header = Buffer.from(bytes.subarray(0, bytes.readFloatLE(108)));
  header.writeInt16LE(4, 40);
  header.writeInt16LE(2, 48);
  const voxels = bytes.subarray(header.length);
  return gzipSync(Buffer.concat([header, voxels, voxels]));
}

/** Of the voxels that either mask calls foreground, the share that have the same label in both. */
export function agreement(a, b) {
  let union = 0;
  let same = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === 0 && b[i] === 0) continue;
    union += 1;
    if (a[i] === b[i]) same += 1;
  }
  return { union, share: union === 0 ? 1 : same / union };
}
