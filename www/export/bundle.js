/** All that a person saves of one volume, as files, and those as one zip. */
/** @import { MaskedCase } from '../types.js' */
import { zipSync } from 'fflate';
import { millilitersPerVoxel } from '../edit/grid.js';
import { maskNifti, maskNrrd, volumesCsv } from './mask.js';
import { meshOf, stlOf } from './mesh.js';

export { stem } from '../open/paths.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ name: string, type: string, make: () => Bytes | Promise<Bytes> }} Product */
/** @typedef {Record<'mask' | 'nrrd' | 'csv' | 'report' | 'picture', Product> & { meshes: Product[] }} Products */

/** @param {string} name */
export const slug = (name) =>
  name
    .normalize('NFKD')
    .replace(/[^\w-]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'label';

/**
 * Which files there are of a volume: a name each, which begins with `name`, and how it is made.
 * @param {Pick<MaskedCase, 'name' | 'editor' | 'result'>} one
 * @param {{ report: () => Promise<object>, picture: () => Promise<Blob> }} parts
 * @returns {Products}
 */
export function products({ name, editor, result }, { report, picture }) {
  const { grid, table } = editor;
  const labels = () => editor.toFile();
  const text = (/** @type {string} */ string) => new TextEncoder().encode(string);
  const product = (/** @type {string} */ suffix, /** @type {string} */ type, /** @type {Product['make']} */ make) => ({
    name: `${name}_${suffix}`,
    type,
    make,
  });
  const mesh = (/** @type {number} */ index) => {
    const box = editor.boxOf(index);
    return box ? stlOf(meshOf(grid, box, (i) => editor.labels[i] === index)) : new Uint8Array();
  };
  return {
    mask: product('mask.nii.gz', 'application/gzip', () => maskNifti(result.toNifti(), labels())),
    nrrd: product('mask.seg.nrrd', 'application/octet-stream', () => maskNrrd(result.toNrrd(), labels(), table)),
    csv: product('volumes.csv', 'text/csv', () =>
      text(volumesCsv(table, (index) => editor.counts[index], millilitersPerVoxel(grid), result.intracranialMl)),
    ),
    report: product('report.json', 'application/json', async () => text(`${JSON.stringify(await report(), null, 2)}\n`)),
    picture: product('view.png', 'image/png', async () => new Uint8Array(await (await picture()).arrayBuffer())),
    meshes: table
      .filter(({ index }) => editor.counts[index] > 0)
      .map(({ index, name: label }) => product(`${index}-${slug(label)}.stl`, 'model/stl', () => mesh(index))),
  };
}

/** @param {Product} product */
export const fileOf = async ({ name, type, make }) => ({ name, type, bytes: await make() });

/** What is packed already is not packed again. @param {{ name: string, bytes: Bytes }[]} files */
export function zipped(files) {
  const packed = /\.(gz|nrrd|png)$/;
  return zipSync(Object.fromEntries(files.map(({ name, bytes }) => [name, [bytes, { level: packed.test(name) ? 0 : 6 }]])));
}
