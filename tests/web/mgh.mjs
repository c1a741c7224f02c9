/** FreeSurfer's MGH as the tests make it, independent of the code under test. */
import { gzipSync } from 'node:zlib';
import { readNifti } from './nifti.mjs';

/** MGH's code and the bytes of NIfTI's types. */
const TYPES = { 2: [0, 1], 4: [4, 2], 8: [1, 4], 16: [3, 4], 512: [10, 2] };

/** The image of a NIfTI file as an .mgh: the same voxels, turned to big-endian, on the grid of its sform; with a command line in a tag. */
export function asMgh(nifti) {
  const { dims, datatype, sform, voxels } = readNifti(nifti);
  const [code, bytes] = TYPES[datatype];
  const header = Buffer.alloc(284);
  [1, ...dims, 1, code, 0].forEach((value, i) => header.writeInt32BE(value, 4 * i));
  header.writeInt16BE(1, 28);
  const column = (axis) => sform.map((row) => row[axis]);
  const spacing = [0, 1, 2].map((axis) => Math.hypot(...column(axis)));
  const cosines = [0, 1, 2].flatMap((axis) => column(axis).map((part) => part / spacing[axis]));
  const centre = sform.map((row) => row[3] + [0, 1, 2].reduce((sum, axis) => sum + (row[axis] * dims[axis]) / 2, 0));
  [...spacing, ...cosines, ...centre].forEach((value, i) => header.writeFloatBE(value, 30 + 4 * i));
  const data = Buffer.from(voxels);
  if (bytes === 2) data.swap16();
  if (bytes === 4) data.swap32();
  const line = Buffer.from('mri_convert /home/somebody/scan.dcm head.mgz\0');
  const tag = Buffer.alloc(20 + 12);
  tag.writeInt32BE(3, 20);
  tag.writeInt32BE(line.length, 28);
  return Buffer.concat([header, data, tag, line]);
}

/** The same, packed. */
export const asMgz = (nifti) => gzipSync(asMgh(nifti));
