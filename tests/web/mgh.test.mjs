/** FreeSurfer's volumes before the engine: what the viewer is given in their place, which files of labels are files, names. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { keepCases } from '../../pkg/tuning.js';
import { root } from '../../scripts/tools.mjs';
import { stem } from '../../www/export/bundle.js';
import { imagesOf, oneFile } from '../../www/open/pair.js';
import { asMgh } from './mgh.mjs';
import { readNifti } from './nifti.mjs';

const sample = readFileSync(join(root, 'pkg/samples/hippocampus/image.nii.gz'));
const mgh = asMgh(sample);

describe('an MGH volume', () => {
  for (const [what, bytes] of Object.entries({ packed: gzipSync(mgh), 'not packed': mgh })) {
    it(`(${what}) is given to the viewer as NIfTI: its grid and its voxels, nothing behind them`, async () => {
      const { dims, sform, voxels } = readNifti(sample);
      const info = { format: 'MGH', dims, spacing_mm: [1, 1, 1], affine: [...sform, [0, 0, 0, 1]], datatype: 'int16' };
      const file = Buffer.from(await oneFile(new Blob([bytes]), info));
      assert.deepEqual(
        [0, 1, 2, 3].map((i) => file.readInt16BE(40 + 2 * i)),
        [3, ...dims],
      );
      assert.deepEqual([file.readInt32BE(0), file.readInt16BE(70), file.readInt16BE(72), file.readInt16BE(254)], [348, 4, 16, 1]);
      assert.equal(file.toString('latin1', 344, 348), 'n+1\0');
      const row = (at) => [0, 4, 8, 12].map((offset) => file.readFloatBE(at + offset));
      assert.deepEqual([280, 296, 312].map(row), sform);
      assert.deepEqual(Buffer.from(file.subarray(file.readFloatBE(108))).swap16(), Buffer.from(voxels));
    });
  }

  it('is an image by its name, in a folder of other files too, and its mask has its name', () => {
    const files = ['a.mgz', 'B.MGH', 'c.mgh.gz', 'notes.txt'].map((name) => new File(['x'], name));
    const { images, skipped } = imagesOf(files);
    assert.deepEqual([images.map(({ name }) => name), skipped], [['a.mgz', 'B.MGH', 'c.mgh.gz'], 1]);
    assert.deepEqual(['a.mgz', 'B.MGH', 'c.mgh.gz', 'd.nii.gz'].map(stem), ['a', 'B', 'c', 'd']);
  });

  it('of labels is a file and not labels, as bytes too', () => {
    const [packed, plain] = keepCases([gzipSync(mgh), mgh].map((labels) => ({ image: new Blob([]), labels: new Uint8Array(labels) })));
    assert.ok(packed.labelFile && plain.labelFile);
    for (const label of [0, 1, 2, 255]) {
      const labels = new Uint8Array(400).fill(label);
      labels.set([0, 0, 0, 1]);
      assert.deepEqual(keepCases([{ image: new Blob([]), labels }])[0].labels, labels);
    }
  });
});
