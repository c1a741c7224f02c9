/** All that a person takes home of one volume, as files, and those as one zip. */
import { zipSync } from 'fflate';
import { maskNifti, maskNrrd, volumesCsv } from './mask.js';
import { meshOf, stlOf } from './mesh.js';

/** @typedef {{ name: string, bytes: Uint8Array, type: string }} Product */

/** brain.nii.gz, brain.hdr -> brain */
export const stem = (name) => name.replace(/\.(nii|hdr)(\.gz)?$|\.gz$/i, '');

export const slug = (name) =>
  name
    .normalize('NFKD')
    .replace(/[^\w-]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'label';

/** Which files there are of a case: a name each, and how it is made. */
export function products({ name, editor, result, report }, { picture } = {}) {
  const base = stem(name);
  const { grid, table } = editor;
  const labels = () => editor.toFile();
  const voxelMm3 = Math.abs(determinant(grid.affine));
  const text = (string) => new TextEncoder().encode(string);
  const one = (suffix, type, make) => ({ name: `${base}_${suffix}`, type, make });
  return {
    mask: one('mask.nii.gz', 'application/gzip', () => maskNifti(result.toNifti(), labels())),
    nrrd: one('mask.seg.nrrd', 'application/octet-stream', () => maskNrrd(result.toNrrd(), labels(), table)),
    csv: one('volumes.csv', 'text/csv', () => text(volumesCsv(table, (index) => editor.counts[index], voxelMm3))),
    report: one('report.json', 'application/json', async () => text(`${JSON.stringify(await report(), null, 2)}\n`)),
    picture: one('view.png', 'image/png', async () => new Uint8Array(await (await picture()).arrayBuffer())),
    meshes: table
      .filter(({ index }) => editor.counts[index] > 0)
      .map(({ index, name: label }) =>
        one(`${index}-${slug(label)}.stl`, 'model/stl', () => stlOf(meshOf(grid, editor.boxOf(index), (i) => editor.labels[i] === index))),
      ),
  };
}

export async function made(product) {
  return { name: product.name, type: product.type, bytes: await product.make() };
}

/** What is packed already is not packed again. @param {Product[]} files */
export function zipped(files) {
  const packed = /\.(gz|nrrd|png)$/;
  return zipSync(Object.fromEntries(files.map(({ name, bytes }) => [name, [bytes, { level: packed.test(name) ? 0 : 6 }]])));
}

const determinant = ([[a, b, c], [d, e, f], [g, h, i]]) => a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
