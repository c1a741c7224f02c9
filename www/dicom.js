/** DICOM files -> NIfTI series, in this tab: Chris Rorden's dcm2niix as wasm, fetched when it is needed and not before. */
/** @import { DicomSeries } from './types.js' */

/** A DICOM file says so behind its preamble of 128 bytes. @param {File} file */
export async function isDicom(file) {
  const bytes = new Uint8Array(await file.slice(128, 132).arrayBuffer());
  return String.fromCharCode(...bytes) === 'DICM';
}

/** @param {File[]} files of any number of series @returns {Promise<DicomSeries[]>} the largest 3-D one first */
export async function seriesOf(files) {
  const { Dcm2niix } = await import('@niivue/dcm2niix');
  const converter = new Dcm2niix();
  await converter.init();
  try {
    // Names of series, not of patients; one file for each series, not compressed, as it stays in this tab.
    const made = await converter.input(files).b('n').z('n').f('%s_%d').run();
    const volumes = made.filter(({ name }) => name.endsWith('.nii'));
    const series = await Promise.all(volumes.map(async (file) => ({ name: file.name, file, dims: await dimsOf(file) })));
    return series.sort((a, b) => rank(b) - rank(a));
  } finally {
    converter.worker.terminate();
  }
}

/** Of the converter's own headers, which are NIfTI-1 and little-endian. @param {File} file */
async function dimsOf(file) {
  const view = new DataView(await file.slice(40, 56).arrayBuffer());
  const dims = Array.from({ length: 8 }, (_, i) => view.getInt16(2 * i, true));
  return dims.slice(1, 1 + dims[0]);
}

/** Volumes before series of several volumes before slices; among them by size. @param {DicomSeries} series */
function rank({ dims }) {
  const voxels = dims.reduce((a, b) => a * b, 1);
  const solid = dims.length === 3 && dims[2] > 1 ? 2 : dims.length > 3 ? 1 : 0;
  return solid * 1e12 + voxels;
}
