/** A person's own masks in the page: laid over the open image, or refused in words. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { asFlipped, readNifti } from './nifti.mjs';
import { choose, download, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

describe('a mask of one’s own', () => {
  let page;
  let complaints;
  let first;
  let segments;
  before(async () => {
    const sample = readFileSync(SAMPLE);
    ({ page, complaints } = await openPage('?backend=cpu'));
    await choose(page, { 'patient.nii.gz': sample });
    await opened(page, 'patient.nii.gz');
    await segmented(page);
    first = (await download(page)).bytes;
    segments = (await download(page, 'Download for 3D Slicer (.seg.nrrd)')).bytes;
  });
  after(() => page.close());

  const importFile = (name, buffer) => page.locator('#mask').setInputFiles({ name, mimeType: '', buffer });
  const labels = async () => readNifti((await download(page)).bytes).voxels;
  /** A mask of nothing takes the place of what is there. */
  const clear = async () => {
    const empty = gunzipSync(first);
    empty.fill(0, 352);
    await importFile('empty.nii', empty);
    await page.locator('#said', { hasText: 'Imported: empty.nii' }).waitFor();
  };

  it('takes its own masks back, as NIfTI in other axes and as .seg.nrrd, by one entry of the history', async () => {
    const expected = readNifti(first).voxels;
    for (const [name, buffer] of [
      ['mine.nii.gz', asFlipped(first)],
      ['mine.seg.nrrd', segments],
    ]) {
      await clear();
      assert.ok((await labels()).every((value) => value === 0));
      await importFile(name, buffer);
      await page.locator('#said', { hasText: `Imported: ${name}` }).waitFor();
      assert.deepEqual(await labels(), expected);
      await page.locator('#undo').click();
      assert.ok((await labels()).every((value) => value === 0));
      await page.locator('#redo').click();
      assert.deepEqual(await labels(), expected);
    }
    assert.deepEqual(complaints, []);
  });

  it('says how the mask agrees with the one before', async () => {
    const changed = gunzipSync(first);
    for (let i = 352; i < changed.length; i++) if (changed[i] === 1 && i % 2) changed[i] = 0;
    await importFile('half.nii', changed);
    await page
      .locator('#said', { hasText: /Dice with the mask before: .*anterior hippocampus 0\.\d+; .*posterior hippocampus 1\b/i })
      .waitFor();
    await page.locator('#undo').click();
  });

  it('refuses in one sentence what does not fit, and changes nothing', async () => {
    const before = await labels();
    const moved = gunzipSync(first);
    moved.writeFloatLE(moved.readFloatLE(292) + 0.4, 292);
    const far = gunzipSync(first);
    far.writeFloatLE(far.readFloatLE(292) + 30, 292);
    for (const [name, buffer, said] of [
      ['moved.nii', moved, /moved\.nii: found voxels that lie 0\.4 voxels off those of the image/],
      ['far.nii', far, /far\.nii: found \d+ labelled voxels outside of the image/],
      ['image.nii.gz', readFileSync(SAMPLE), /image\.nii\.gz: found the value .*, expected labels/],
      ['words.nrrd', Buffer.from('NRRD words'), /words\.nrrd: header: found –, expected NRRD/],
    ]) {
      await importFile(name, buffer);
      await page.locator('#error', { hasText: name }).waitFor();
      assert.match(await page.locator('#error').textContent(), said);
    }
    await state(page, 'error');
    assert.deepEqual(await labels(), before);
  });
});
