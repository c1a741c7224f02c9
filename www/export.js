/** What a person saves: each file, or all of them as one zip; and the report of a run. */
/** @import { MaskedCase } from './types.js' */
/** @import { Products } from './export/bundle.js' */
import { statisticsOf } from './edit/statistics.js';
import { engine } from './engine.js';
import { fileOf, products, zipped } from './export/bundle.js';
import { save } from './files.js';
import { approvedSlices } from './handmade.js';
import { fileNameOf, savedName } from './open/names.js';
import { correctedVoxels, state } from './state.js';

/**
 * Which files each download is made of, by the end of its button's id.
 * @type {Record<string, (all: Products) => Products['meshes']>}
 */
export const DOWNLOADS = {
  download: ({ mask }) => [mask],
  'download-nrrd': ({ nrrd }) => [nrrd],
  'download-csv': ({ csv }) => [csv],
  'download-stl': ({ meshes }) => meshes,
  'download-png': ({ picture }) => [picture],
  'download-report': ({ report }) => [report],
  'download-zip': ({ mask, nrrd, csv, report, picture, meshes }) => [
    mask,
    nrrd,
    csv,
    report,
    ...(state.shownView ? [picture] : []),
    ...meshes,
  ],
};

/** Saves one of the DOWNLOADS of the open volume. @param {string} id */
export async function download(id) {
  const { masked, shownView: view } = state;
  if (!masked) return;
  const name = savedName(masked);
  const files = await Promise.all(DOWNLOADS[id](productsOf(masked, name, view)).map(fileOf));
  if (files.length === 0) return;
  const [file] =
    files.length === 1 && id !== 'download-zip' ? files : [{ name: `${name}_insitu.zip`, bytes: zipped(files), type: 'application/zip' }];
  save(file.bytes, file.name, file.type);
}

/** @param {MaskedCase} one @param {string} name @param {typeof state.shownView} [view] where it is seen */
const productsOf = (one, name, view) =>
  products({ ...one, name }, { report: () => reportOf(one), picture: async () => view?.picture() ?? new Blob() });

/** The files of a volume, whichever is open, and the folder for them: all but the picture of what is seen. @param {MaskedCase} one */
export async function exportsOf(one) {
  const folder = savedName(one);
  const all = productsOf(one, folder);
  const files = [];
  for (const product of [all.mask, all.nrrd, all.csv, all.report, ...all.meshes]) files.push({ folder, ...(await fileOf(product)) });
  return files;
}

/** Saves the tuned weights, under the name of what they are. */
export async function downloadModel() {
  const { name, tuned } = engine().model;
  const what = tuned?.own_variant ? `variant-${plainName(tuned.own_variant)}` : tuned?.refused ? 'refused' : 'tuned';
  save(await engine().saveModel(), `${name}-${what}.safetensors`, 'application/octet-stream');
}

/** Saves what the last tuning made and did not take, to be looked at. */
export async function downloadRefused() {
  save(await engine().saveRefused(), `${engine().model.name}-refused.safetensors`, 'application/octet-stream');
}

/** As a part of a file's name. @param {string} name */
const plainName = (name) => name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'own';

/** The run's own report, with what a person did after it, the values below each label, and the hash of what was read. @param {MaskedCase} one */
export async function reportOf(one) {
  const { editor, result } = one;
  const intensities = editor.values && statisticsOf(editor.grid, editor.labels, editor.values);
  const { input, ...run } = result.report;
  return {
    ...run,
    // Not the run's own: of a run that was undone nothing is said, and in the report of an earlier version there are none.
    warnings: result.warnings,
    input: { ...input, name: fileNameOf(one), sha256: await hashOf(one.input) },
    ...(one.converted ? { converted: { from: 'DICOM', by: 'dcm2niix', ...one.converted } } : {}),
    tuned: one.madeBy?.isTuned,
    ...(one.madeBy?.ownVariant ? { ownVariant: one.madeBy.ownVariant } : {}),
    correctedVoxels: correctedVoxels(one),
    checkedSlices: [...approvedSlices(one)],
    labels: editor.table.map(({ index, name, color }) => {
      const { mean, sd, min, max } = intensities?.get(index) ?? {};
      return { index, name, color, voxels: editor.counts[index], ...(mean === undefined ? {} : { intensity: { mean, sd, min, max } }) };
    }),
    disclaimer: 'Not a medical device. Not for diagnosis.',
  };
}

/** Of images, as none changes while it is open, and a report is made with every correction. @type {WeakMap<MaskedCase['input'], Promise<string>>} */
const hashes = new WeakMap();

/** @param {MaskedCase['input']} input */
function hashOf(input) {
  // Only where the browser hashes.
  if (!crypto.subtle) return undefined;
  const hash = hashes.get(input) ?? sha256(input);
  hashes.set(input, hash);
  return hash;
}

/** Of the file as it lies, or of header and voxels of a pair, one after the other. @param {MaskedCase['input']} input */
async function sha256(input) {
  const parts = input instanceof Blob ? [input] : [input.hdr, input.img];
  const digest = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
