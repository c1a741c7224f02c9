/** Images in files: a pair of .hdr and .img known by its names, and joined for the viewer, which reads one file in NIfTI. */
/** @import { Key } from '../i18n.js' */
/** @import { Case, VolumeInfo } from '../types.js' */
import { bytesOf, unpacked } from '../bytes.js';
import { pageError } from '../errors.js';
import { t } from '../i18n.js';
import { mghAsNifti } from './nifti.js';
import { lastOf, pathOf } from './paths.js';

const IMAGE = /\.(nii|hdr|img|mgz|mgh)(\.gz)?$|\.gz$/i;
const HALF = /\.(hdr|img)(\.gz)?$/i;
/** @param {File} file */
export const halfOf = ({ name }) => HALF.exec(name)?.[1].toLowerCase();

/** Where a half of a pair lies, and its name without the end that says which half it is. @param {File} file */
const stemOf = (file) => pathOf(file).replace(HALF, '');

/**
 * By its name. What systems put beside files (`._T1.nii`, `.DS_Store`) is none. @param {File} file
 */
export const isImageName = ({ name }) => IMAGE.test(name) && !name.startsWith('.');

/** @typedef {Pick<Case, 'name' | 'title' | 'path' | 'input'>} Image */

/**
 * Files as images: halves of pairs are joined with those that lie in the same folder under the same name.
 * One file alone is an image whatever its name; of several those that are none are counted.
 * @param {File[]} given
 * @returns {{ images: Image[], refusals: Error[], skipped: number }}
 */
export function imagesOf(given) {
  const files = given.length === 1 ? given : given.filter(isImageName);
  /** @type {Image[]} */
  const images = [];
  /** @type {Error[]} */
  const refusals = [];
  const refuse = (/** @type {Key} */ key, /** @type {Record<string, string>} */ values) =>
    refusals.push(pageError('argument', t(key, values)));
  const partnersOf = partnersAmong(files);
  for (const file of files) {
    const half = halfOf(file);
    const [path, { name }] = [pathOf(file), file];
    if (!half) {
      images.push({ name, title: name, path, input: file });
      continue;
    }
    const partners = partnersOf(file).filter((other) => partnersOf(other).includes(file));
    const [partner] = partners;
    if (!partner) refuse(half === 'hdr' ? 'loneHdr' : 'loneImg', { name: path, stem: lastOf(stemOf(file)) });
    else if (partners.length > 1) refuse('manyHalves', { name: path, others: partners.map(pathOf).join(', ') });
    else if (half === 'hdr' && partnersOf(partner).length === 1)
      images.push({ name, path, title: `${name} + ${partner.name}`, input: { hdr: file, img: partner } });
  }
  return { images, refusals, skipped: given.length - files.length };
}

/** Finds the other halves of a pair; where upper and lower case differ, those that are written alike. @param {File[]} files */
function partnersAmong(files) {
  /** @type {Map<string, File[]>} */
  const groups = new Map();
  for (const file of files.filter(halfOf)) {
    const key = stemOf(file).toLowerCase();
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return (/** @type {File} */ file) => {
    const stem = stemOf(file);
    const others = (groups.get(stem.toLowerCase()) ?? []).filter((other) => halfOf(other) !== halfOf(file));
    const alike = others.filter((other) => stemOf(other) === stem);
    return alike.length > 0 ? alike : others;
  };
}

/**
 * The bytes of an image as one NIfTI file, if it is a file of the engine's formats.
 * @param {Blob | { hdr: Blob, img: Blob }} input @param {VolumeInfo} [info] the engine's, if it has read the file
 */
export async function oneFile(input, info) {
  if (input instanceof Blob) return info?.format === 'MGH' ? mghAsNifti(await unpacked(input), info) : bytesOf(input);
  const [header, voxels] = await Promise.all([input.hdr, input.img].map(unpacked));
  return joinPair(header, voxels);
}

/**
 * Header and voxels of a pair -> a .nii: the header without its extensions, with the magic and offset of one file.
 * @param {Uint8Array<ArrayBuffer>} header @param {Uint8Array<ArrayBuffer>} voxels
 */
function joinPair(header, voxels) {
  const from = new DataView(header.buffer);
  const little = [348, 540].includes(from.getInt32(0, true));
  const size = from.getInt32(0, little);
  const second = size === 540;
  // Behind the header four zeros say that no extension follows.
  const start = size + 4;
  const data = voxels.subarray(second ? Number(from.getBigInt64(168, little)) : from.getFloat32(108, little));
  const file = new Uint8Array(start + data.length);
  file.set(header.subarray(0, size));
  file.set(data, start);
  const to = new DataView(file.buffer);
  const magic = (/** @type {string} */ text, /** @type {number} */ at) => file.set(new TextEncoder().encode(text), at);
  if (second) {
    magic('n+2\0\r\n\x1a\n', 4);
    to.setBigInt64(168, BigInt(start), little);
  } else {
    magic('n+1\0', 344);
    to.setFloat32(108, start, little);
  }
  return file;
}
