/** As much of NIfTI-1 as the tests need, independent of the code under test. */
import { gunzipSync, gzipSync } from 'node:zlib';

const inflated = (file) => (file[0] === 0x1f && file[1] === 0x8b ? gunzipSync(file) : file);

/** @returns {{ dims: number[], sform: number[][], sformCode: number, datatype: number, voxels: Buffer }} voxels: the raw bytes after the header */
export function readNifti(file) {
  const bytes = inflated(file);
  const row = (at) => [0, 4, 8, 12].map((offset) => bytes.readFloatLE(at + offset));
  return {
    dims: [42, 44, 46].map((at) => bytes.readInt16LE(at)),
    datatype: bytes.readInt16LE(70),
    sformCode: bytes.readInt16LE(254),
    sform: [280, 296, 312].map(row),
    voxels: bytes.subarray(bytes.readFloatLE(108)),
  };
}

/** Header (to where the voxels begin) and voxels, in buffers of their own. */
function parts(file) {
  const bytes = inflated(file);
  const from = bytes.readFloatLE(108);
  return { header: Buffer.from(bytes.subarray(0, from)), voxels: Buffer.from(bytes.subarray(from)) };
}

/** The header of a file of 16-bit integers with the same geometry, up to where its voxels begin. */
export function headerOf(file) {
  const { header } = parts(file);
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  return header;
}

/** The same file with a fourth dimension of two: its voxels twice. */
export function asFourDimensional(file) {
  const { header, voxels } = parts(file);
  header.writeInt16LE(4, 40);
  header.writeInt16LE(2, 48);
  return gzipSync(Buffer.concat([header, voxels, voxels]));
}

/** The same image in micrometres: its header says so, and every length is a thousand times as long. */
export function asMicrometres(file) {
  const { header, voxels } = parts(file);
  const lengths = [80, 84, 88, ...[268, 272, 276], ...Array.from({ length: 12 }, (_, i) => 280 + 4 * i)];
  for (const at of lengths) header.writeFloatLE(1000 * header.readFloatLE(at), at);
  header.writeUInt8(3, 123);
  return gzipSync(Buffer.concat([header, voxels]));
}

/** The same file with a slope of 0, which says that nothing is scaled, and an intercept that nobody is to add. */
export function asUnscaled(file) {
  const { header, voxels } = parts(file);
  header.writeFloatLE(0, 112);
  header.writeFloatLE(5, 116);
  return gzipSync(Buffer.concat([header, voxels]));
}

/** The same file with a header that claims nine dimensions. */
export function asNineDimensional(file) {
  const { header, voxels } = parts(file);
  header.writeInt16LE(9, 40);
  return gzipSync(Buffer.concat([header, voxels]));
}

/** The same image with its first axis stored, and declared, the other way: from RAS to LAS. */
export function asFlipped(file) {
  const { header, voxels } = parts(file);
  const nx = header.readInt16LE(42);
  const size = header.readInt16LE(72) / 8;
  const flipped = Buffer.alloc(voxels.length);
  for (let from = 0; from < voxels.length; from += size) {
    const x = (from / size) % nx;
    voxels.copy(flipped, from + size * (nx - 1 - 2 * x), from, from + size);
  }
  // x' = nx - 1 - x: the column changes its sign and the offset moves to the other end.
  for (const row of [280, 296, 312]) {
    const [step, offset] = [header.readFloatLE(row), header.readFloatLE(row + 12)];
    header.writeFloatLE(-step, row);
    header.writeFloatLE(offset + step * (nx - 1), row + 12);
  }
  header.writeInt16LE(0, 252);
  return gzipSync(Buffer.concat([header, flipped]));
}

/** The cube of `side` voxels that begins at voxel `start`, [x, y, z], of a file; its header says all else as before. */
export function cropped(file, start, side) {
  const { header, voxels } = parts(file);
  const [nx, ny] = [42, 44].map((at) => header.readInt16LE(at));
  const size = header.readInt16LE(72) / 8;
  [42, 44, 46].forEach((at) => header.writeInt16LE(side, at));
  const rows = [];
  for (let z = start[2]; z < start[2] + side; z++) {
    for (let y = start[1]; y < start[1] + side; y++) {
      const from = size * ((z * ny + y) * nx + start[0]);
      rows.push(voxels.subarray(from, from + size * side));
    }
  }
  return gzipSync(Buffer.concat([header, ...rows]));
}

/** The same image as a pair: a plain header of 348 bytes, gzipped voxels. */
export function asPair(file) {
  const { header, voxels } = parts(file);
  header.writeFloatLE(0, 108);
  header.write('ni1\0', 344, 'latin1');
  return { hdr: header.subarray(0, 348), img: gzipSync(voxels) };
}

/** 352 bytes that claim 32767 voxels along each side, of eight bytes each. */
export function headerBomb() {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, 32767, 32767, 32767, 1, 1, 1, 1].forEach((size, i) => header.writeInt16LE(size, 40 + 2 * i));
  header.writeInt16LE(64, 70);
  header.writeInt16LE(64, 72);
  [1, 1, 1, 1].forEach((size, i) => header.writeFloatLE(size, 76 + 4 * i));
  header.writeFloatLE(352, 108);
  header.write('n+1\0', 344, 'latin1');
  return header;
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

/**
 * A NIfTI-1 file of 16-bit integers with an sform of its own. @param {{ dims: number[], affine: number[][], values: Int16Array, spacing: number[] }} volume
 */
export function makeNifti({ dims, affine, values, spacing }) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, ...dims, 1, 1, 1, 1].forEach((size, i) => header.writeInt16LE(size, 40 + 2 * i));
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  [1, ...spacing].forEach((mm, i) => header.writeFloatLE(mm, 76 + 4 * i));
  header.writeFloatLE(352, 108);
  header.writeFloatLE(1, 112);
  header[123] = 2;
  header.writeInt16LE(1, 254);
  affine.slice(0, 3).forEach((row, i) => row.forEach((value, j) => header.writeFloatLE(value, 280 + 16 * i + 4 * j)));
  header.write('n+1\0', 344, 'latin1');
  return gzipSync(Buffer.concat([header, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]));
}
