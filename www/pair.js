/** Images in files: a pair of .hdr and .img known by its names, and joined for the viewer, which takes one file. */
import { InsituError } from 'insitu-seg';
import { say } from './words.js';

const IMAGE = /\.(nii|hdr|img)(\.gz)?$|\.gz$/i;
const HALF = /\.(hdr|img)(\.gz)?$/i;
const half = ({ name }) => HALF.exec(name)?.[1].toLowerCase();
const stem = ({ name }) => name.replace(HALF, '');

/**
 * The files that were chosen or dropped together, as images. One file alone is an image whatever its name, as its reader says what
 * is wrong with it; of several those that are none are counted.
 * @param {File[]} files
 * @returns {{ images: { name: string, title: string, input: File | { hdr: File, img: File } }[], refusals: Error[], skipped: number }}
 */
export function imagesOf(files) {
  const images = [];
  const refusals = [];
  const named = files.length === 1 ? files : files.filter(({ name }) => IMAGE.test(name));
  for (const file of named) {
    const kind = half(file);
    if (!kind) {
      images.push({ name: file.name, title: file.name, input: file });
      continue;
    }
    const partner = named.find((other) => half(other) && half(other) !== kind && stem(other).toLowerCase() === stem(file).toLowerCase());
    if (!partner)
      refusals.push(new InsituError('argument', say(kind === 'hdr' ? 'lone_hdr' : 'lone_img', { name: file.name, stem: stem(file) })));
    else if (kind === 'hdr') images.push({ name: file.name, title: `${file.name} + ${partner.name}`, input: { hdr: file, img: partner } });
  }
  if (images.length + refusals.length === 0) refusals.push(new InsituError('argument', say('noImages', { count: files.length })));
  return { images, refusals, skipped: files.length - named.length };
}

/** The bytes of an image as one file. */
export async function oneFile(input) {
  if (input instanceof Blob) return bytesOf(input);
  const [header, voxels] = await Promise.all([input.hdr, input.img].map(inflated));
  return join(header, voxels);
}

const bytesOf = async (source) => new Uint8Array(await source.arrayBuffer());

async function inflated(blob) {
  const [a, b] = await bytesOf(blob.slice(0, 2));
  if (a !== 0x1f || b !== 0x8b) return bytesOf(blob);
  return bytesOf(new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))));
}

/** Header and voxels of a pair -> a .nii: the header without its extensions, with the magic and offset of one file. */
function join(header, voxels) {
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
  const magic = (text, at) => file.set(new TextEncoder().encode(text), at);
  if (second) {
    magic('n+2\0\r\n\x1a\n', 4);
    to.setBigInt64(168, BigInt(start), little);
  } else {
    magic('n+1\0', 344);
    to.setFloat32(108, start, little);
  }
  return file;
}
