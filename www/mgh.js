/** FreeSurfer's volumes for the viewer: the same voxels behind a NIfTI header, made of what the engine says of the file. */
/** @import { VolumeInfo } from './types.js' */

/** Bytes before the voxels. */
const HEADER = 284;
/** Of NIfTI: where the voxels of a single file begin. */
const START = 352;
/** NIfTI's codes of the types that MGH has, and bits per voxel. @type {Record<string, [code: number, bits: number]>} */
const TYPES = { uint8: [2, 8], int16: [4, 16], int32: [8, 32], float32: [16, 32], uint16: [512, 16] };

/**
 * An .mgh as a .nii: big-endian, as it is; what lies behind the voxels is left behind.
 * @param {Uint8Array<ArrayBuffer>} mgh not packed @param {VolumeInfo} info
 */
export function mghAsNifti(mgh, { dims, spacing_mm: spacing, affine, datatype }) {
  const [code, bits] = TYPES[datatype];
  const length = (dims.reduce((a, b) => a * b, 1) * bits) / 8;
  const file = new Uint8Array(START + length);
  const to = new DataView(file.buffer);
  to.setInt32(0, 348);
  [dims.length, ...dims].forEach((size, i) => to.setInt16(40 + 2 * i, size));
  to.setInt16(70, code);
  to.setInt16(72, bits);
  [1, ...spacing].forEach((mm, i) => to.setFloat32(76 + 4 * i, mm));
  to.setFloat32(108, START);
  to.setFloat32(112, 1);
  file[123] = 2; // mm
  to.setInt16(254, 1);
  affine.slice(0, 3).forEach((row, i) => row.forEach((value, j) => to.setFloat32(280 + 16 * i + 4 * j, value)));
  file.set(new TextEncoder().encode('n+1\0'), 344);
  file.set(mgh.subarray(HEADER, HEADER + length), START);
  return file;
}
