/** Images in files: a pair of .hdr and .img known by its names, and joined for the viewer, which reads one file in NIfTI. */
/** @import { Case, VolumeInfo } from './types.js' */
import { bytesOf, isGzipped, through } from './bytes.js';
import { pageError } from './errors.js';
import { t } from './i18n.js';
import { mghAsNifti } from './mgh.js';

const IMAGE = /\.(nii|hdr|img|mgz|mgh)(\.gz)?$|\.gz$/i;
const HALF = /\.(hdr|img)(\.gz)?$/i;
/** @param {File} file */
const halfOf = ({ name }) => HALF.exec(name)?.[1].toLowerCase();
/** @param {File} file */
const stemOf = ({ name }) => name.replace(HALF, '');

/**
 * The files that were chosen or dropped together, as images. One file alone is an image whatever its name, as its reader says what
 * is wrong with it; of several those that are none are counted.
 * @param {File[]} files
 * @returns {{ images: Pick<Case, 'name' | 'title' | 'input'>[], refusals: Error[], skipped: number }}
 */
export function imagesOf(files) {
  const images = [];
  const refusals = [];
  const named = files.length === 1 ? files : files.filter(({ name }) => IMAGE.test(name));
  for (const file of named) {
    const half = halfOf(file);
    if (!half) {
      images.push({ name: file.name, title: file.name, input: file });
      continue;
    }
    const isPartner = (/** @type {File} */ other) =>
      halfOf(other) && halfOf(other) !== half && stemOf(other).toLowerCase() === stemOf(file).toLowerCase();
    const partner = named.find(isPartner);
    if (!partner) {
      refusals.push(pageError('argument', t(half === 'hdr' ? 'loneHdr' : 'loneImg', { name: file.name, stem: stemOf(file) })));
    } else if (half === 'hdr') {
      images.push({ name: file.name, title: `${file.name} + ${partner.name}`, input: { hdr: file, img: partner } });
    }
  }
  if (images.length + refusals.length === 0) refusals.push(pageError('argument', t('noImages', { count: files.length })));
  return { images, refusals, skipped: files.length - named.length };
}

/**
 * The bytes of an image as one NIfTI file, if it is a file of the engine's formats.
 * @param {Blob | { hdr: Blob, img: Blob }} input @param {VolumeInfo} [info] the engine's, if it has read the file
 */
export async function oneFile(input, info) {
  if (input instanceof Blob) return info?.format === 'MGH' ? mghAsNifti(await inflated(input), info) : bytesOf(input);
  const [header, voxels] = await Promise.all([input.hdr, input.img].map(inflated));
  return joinPair(header, voxels);
}

/** @param {Blob} blob */
async function inflated(blob) {
  return isGzipped(await bytesOf(blob.slice(0, 2))) ? through(blob, new DecompressionStream('gzip')) : bytesOf(blob);
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
