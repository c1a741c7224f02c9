/** What a person takes home: every file by its button, all of them as one zip. */
import { $ } from './element.js';
import { correctedVoxels, desk } from './desk.js';
import { made, products, stem, zipped } from './export/bundle.js';
import { save } from './files.js';

/** @param {{ fail(thrown: Error): void }} parts */
export function setUpExport({ fail }) {
  const give = (id, choose) =>
    $(id).addEventListener('click', async () => {
      try {
        const all = products(described(desk.current), { picture: desk.view?.grid ? () => desk.view.picture() : undefined });
        const files = await Promise.all([choose(all)].flat().map(made));
        if (files.length === 0) return;
        const [file] =
          files.length === 1 && id !== 'download-zip'
            ? files
            : [{ name: `${stem(desk.current.name)}_insitu.zip`, bytes: zipped(files), type: 'application/zip' }];
        save(file.bytes, file.name, file.type);
      } catch (thrown) {
        fail(thrown);
      }
    });
  give('download', ({ mask }) => mask);
  give('download-nrrd', ({ nrrd }) => nrrd);
  give('download-csv', ({ csv }) => csv);
  give('download-stl', ({ meshes }) => meshes);
  give('download-png', ({ picture }) => picture);
  give('download-report', ({ report }) => report);
  give('download-zip', ({ mask, nrrd, csv, report, picture, meshes }) =>
    [mask, nrrd, csv, report, desk.view?.grid ? picture : [], meshes].flat(),
  );
}

const described = (one) => ({ ...one, report: () => reportOf(one) });

/** The run's own report, with what a person did after it and the hash of what was read. */
export async function reportOf(one) {
  const { editor, result, checked } = one;
  const { input, ...run } = result.report;
  return {
    ...run,
    input: { ...input, sha256: await hashOf(one.input) },
    tuned: Boolean(desk.segmenter?.canRevert),
    correctedVoxels: correctedVoxels(one),
    checkedSlices: [...checked],
    labels: editor.table.map(({ index, name, color }) => ({ index, name, color, voxels: editor.counts[index] })),
    disclaimer: 'Not a medical device. Not for diagnosis.',
  };
}

/** Of the file as it lies, or of header and voxels of a pair, one after the other. Only where the browser hashes. */
async function hashOf(input) {
  if (!crypto.subtle) return undefined;
  const parts = input instanceof Blob ? [input] : [input.hdr, input.img];
  const digest = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
