/** An image in two files, .hdr and .img: known by their names, and joined for the viewer, which takes one file. */
import { InsituError } from 'insitu-seg';

const HALF = /\.(hdr|img)(\.gz)?$/i;
const half = ({ name }) => HALF.exec(name)?.[1].toLowerCase();
const stem = ({ name }) => name.replace(HALF, '');

/**
 * The files that were chosen or dropped together, as one image.
 * @param {File[]} files
 * @returns {{ name: string, title: string, input: File | { hdr: File, img: File } }}
 */
export function imageOf(files) {
  const [first] = files;
  if (files.length === 1) {
    if (half(first)) throw new InsituError('argument', `${first.name} ${partnerWanted(first)}`);
    return { name: first.name, title: first.name, input: first };
  }
  const hdr = files.find((file) => half(file) === 'hdr');
  const img = files.find((file) => half(file) === 'img');
  if (files.length > 2 || !hdr || !img) {
    throw new InsituError('argument', `Expected one NIfTI file or a .hdr with its .img, found ${files.length} files.`);
  }
  if (stem(hdr).toLowerCase() !== stem(img).toLowerCase()) {
    throw new InsituError('argument', `${hdr.name} and ${img.name} have different names, but a header and its voxels share one: choose two that belong together.`);
  }
  return { name: hdr.name, title: `${hdr.name} + ${img.name}`, input: { hdr, img } };
}

const partnerWanted = (file) =>
  half(file) === 'hdr'
    ? `is a header without voxels: open it together with ${stem(file)}.img (or .img.gz).`
    : `holds voxels without a header: open it together with ${stem(file)}.hdr (or .hdr.gz).`;

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
