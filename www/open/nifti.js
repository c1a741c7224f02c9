/** What the viewer does not read, or reads otherwise than the engine: the same voxels behind a NIfTI header of what the engine says. */
/** @import { ImageVolume } from 'insitu-seg' */
/** @import { VolumeInfo } from '../types.js' */
/** @import { Nrrd } from './nrrd.js' */

/** Of an MGH file: bytes before the voxels. */
const MGH_HEADER = 284;
/** Of NIfTI: where the voxels of a single file begin. */
const START = 352;
/** NIfTI's codes of the types that MGH and NRRD have, and bits per voxel. @type {Record<string, [code: number, bits: number]>} */
const TYPES = {
  ...{ uint8: [2, 8], int16: [4, 16], int32: [8, 32], float32: [16, 32], float64: [64, 64] },
  ...{ int8: [256, 8], uint16: [512, 16], uint32: [768, 32] },
};

/**
 * An .mgh as a .nii: big-endian, as it is; what lies behind the voxels is left behind.
 * @param {Uint8Array<ArrayBuffer>} mgh not packed @param {VolumeInfo} info
 */
export function mghAsNifti(mgh, info) {
  const { file, length } = niftiOf(info, info.datatype, false);
  file.set(mgh.subarray(MGH_HEADER, MGH_HEADER + length), START);
  return file;
}

/** The values of an image as the engine reads them, as a .nii of floats without scaling. @param {ImageVolume} image @param {VolumeInfo} info */
export function valuesAsNifti({ values }, info) {
  const { file } = niftiOf(info, 'float32', true);
  const voxels = new DataView(file.buffer, START);
  values.forEach((value, i) => voxels.setFloat32(4 * i, value, true));
  return file;
}

/** An NRRD image as a .nii, of three dimensions or four. @param {Nrrd} nrrd */
export function nrrdAsNifti({ dims, volumes, affine, type, values }) {
  const spacing = [0, 1, 2].map((axis) => Math.hypot(...affine.slice(0, 3).map((row) => row[axis])));
  const all = { dims: volumes > 1 ? [...dims, volumes] : dims, spacing_mm: /** @type {VolumeInfo['spacing_mm']} */ (spacing), affine };
  const { file } = niftiOf(all, type.nifti, true);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), START);
  return file;
}

/** A .nii without voxels yet, and the bytes that they take. @param {{ dims: readonly number[], spacing_mm: readonly number[], affine: readonly (readonly number[])[] }} info @param {string} datatype @param {boolean} little */
function niftiOf({ dims, spacing_mm: spacing, affine }, datatype, little) {
  const [code, bits] = TYPES[datatype];
  const length = (dims.reduce((a, b) => a * b, 1) * bits) / 8;
  const file = new Uint8Array(START + length);
  const to = new DataView(file.buffer);
  to.setInt32(0, 348, little);
  [dims.length, ...dims].forEach((size, i) => to.setInt16(40 + 2 * i, size, little));
  to.setInt16(70, code, little);
  to.setInt16(72, bits, little);
  [1, ...spacing].forEach((mm, i) => to.setFloat32(76 + 4 * i, mm, little));
  to.setFloat32(108, START, little);
  to.setFloat32(112, 1, little);
  file[123] = 2; // mm
  to.setInt16(254, 1, little);
  affine.slice(0, 3).forEach((row, i) => row.forEach((value, j) => to.setFloat32(280 + 16 * i + 4 * j, value, little)));
  file.set(new TextEncoder().encode('n+1\0'), 344);
  return { file, length };
}
