/** Files of several volumes: how many there are, by the header alone, and one of them as a file of its own. */
/** @import { Image } from './pair.js' */
import { unpacked } from '../bytes.js';
import { oneFile } from './pair.js';
import { firstBytes } from './sniff.js';

/** Headers, and of MGH what comes before the voxels. */
const NIFTI_1 = 348;
const NIFTI_2 = 540;
const MGH = 284;
/** Bytes of a voxel, by MGH's codes. @type {Record<number, number>} */
const MGH_WIDTHS = { 0: 1, 1: 4, 3: 4, 4: 2, 10: 2 };

/** `from`: where the voxels begin; `length`: bytes of one volume. @typedef {{ count: number, from: number, length: number, makeOne(file: Uint8Array): void }} Layout */

/** @param {Uint8Array} head @returns {Layout | null} null where it is of no format that is known */
function layoutOf(head) {
  if (head.length < MGH) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  for (const little of [true, false]) {
    const size = view.getInt32(0, little);
    if (size === NIFTI_1) return nifti1(view, little);
    if (size === NIFTI_2 && head.length >= NIFTI_2) return nifti2(view, little);
  }
  return view.getInt32(0) === 1 ? mgh(view) : null;
}

const product = (/** @type {number[]} */ sizes) => sizes.reduce((a, b) => a * b, 1);

/** @param {DataView} view @param {boolean} little @returns {Layout} */
function nifti1(view, little) {
  const dims = Array.from({ length: 8 }, (_, i) => view.getInt16(40 + 2 * i, little));
  return {
    count: product(dims.slice(4, 1 + dims[0])),
    from: view.getFloat32(108, little),
    length: (product(dims.slice(1, 4)) * view.getInt16(72, little)) / 8,
    makeOne(file) {
      const to = new DataView(file.buffer);
      [3, ...dims.slice(1, 4), 1, 1, 1, 1].forEach((size, i) => to.setInt16(40 + 2 * i, size, little));
    },
  };
}

/** @param {DataView} view @param {boolean} little @returns {Layout} */
function nifti2(view, little) {
  const dims = Array.from({ length: 8 }, (_, i) => Number(view.getBigInt64(16 + 8 * i, little)));
  return {
    count: product(dims.slice(4, 1 + dims[0])),
    from: Number(view.getBigInt64(168, little)),
    length: (product(dims.slice(1, 4)) * view.getInt16(14, little)) / 8,
    makeOne(file) {
      const to = new DataView(file.buffer);
      [3, ...dims.slice(1, 4), 1, 1, 1, 1].forEach((size, i) => to.setBigInt64(16 + 8 * i, BigInt(size), little));
    },
  };
}

/** @param {DataView} view @returns {Layout} */
function mgh(view) {
  const [x, y, z, frames, type] = [4, 8, 12, 16, 20].map((at) => view.getInt32(at));
  return {
    count: frames,
    from: MGH,
    length: x * y * z * (MGH_WIDTHS[type] ?? 0),
    makeOne: (file) => new DataView(file.buffer).setInt32(16, 1),
  };
}

/** How many volumes an image has; 1 where its header cannot be read, as its reader says why. @param {Pick<Image, 'input'>} image */
export async function framesIn({ input }) {
  const head = await firstBytes(input instanceof Blob ? input : input.hdr, NIFTI_2);
  const count = layoutOf(head)?.count ?? 1;
  return Number.isInteger(count) && count > 1 ? count : 1;
}

/**
 * One volume of several, as a file of its own; header and extensions stay.
 * @param {Pick<Image, 'input'>} image @param {number} at from 0 on @param {string} name
 */
export async function frameOf({ input }, at, name) {
  const all = input instanceof Blob ? await unpacked(input) : await oneFile(input);
  const layout = layoutOf(all);
  if (!layout) return new File([all], name);
  const { from, length, makeOne } = layout;
  const file = new Uint8Array(from + length);
  file.set(all.subarray(0, from));
  file.set(all.subarray(from + at * length, from + (at + 1) * length), from);
  makeOne(file);
  return new File([file], name);
}
