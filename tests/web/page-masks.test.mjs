/** A person's own masks in the page: laid over the open image, or refused in words. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { asFlipped, readNifti } from './nifti.mjs';
import { choose, download, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

/** Pixels of the slices in the colours of what only one mask has: magenta and lime, with the image below. */
async function colours(page) {
  await page.evaluate(() => (document.getElementById('overlay').style.visibility = 'hidden'));
  const shot = (await page.locator('#slices').screenshot()).toString('base64');
  return page.evaluate(async (bytes) => {
    document.getElementById('overlay').style.visibility = '';
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    // Of the tiles above the 3-D view, in which colours are mixed.
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height >> 1);
    const found = { before: 0, after: 0 };
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = data.subarray(i, i + 3);
      if (r - g > 60 && b - g > 50) found.before++;
      if (g - b > 60 && g - r > 25) found.after++;
    }
    return found;
  }, shot);
}

/** The letters at the rim have pixels of every colour between theirs and the image's. */
const isPlain = async (page) => Object.values(await colours(page)).every((count) => count < 40);

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

  it('names the labels that no other is called like, and takes a name in other letters for the same', async () => {
    const rows = page.locator('#classes tr');
    const { length } = await rows.all();
    const names = ['left_ANTERIOR-hippocampus', 'Cyst'];
    const renamed = segments
      .toString('latin1')
      .replace(/_Name:=Left anterior hippocampus/g, `_Name:=${names[0]}`)
      .replace(/_Name:=Left posterior hippocampus/g, `_Name:=${names[1]}`);
    await importFile('renamed.seg.nrrd', Buffer.from(renamed, 'latin1'));
    await page
      .locator('#said', { hasText: /anterior hippocampus 1; .*posterior hippocampus 0\. Labels of its own, .*: Cyst\.$/ })
      .waitFor();
    assert.equal(await rows.count(), length + 1);
    await page.locator('#undo').click();
    assert.equal(await rows.count(), length);
  });

  it('shows what only one of two masks has, in two colours, and follows strokes and undo', async () => {
    const [now, moved] = [await labels(), gunzipSync(first)];
    const [nx] = readNifti(first).dims;
    // Two rows to the back.
    for (let i = 352; i < moved.length; i++) moved[i] = i + 2 * nx < moved.length ? moved[i + 2 * nx] : 0;
    assert.equal(await page.locator('#difference').isVisible(), false);
    await importFile('moved.nii', moved);
    await page.locator('#said', { hasText: 'Imported: moved.nii' }).waitFor();
    const counted = (after) => {
      const counts = { before: 0, after: 0, other: 0, both: 0 };
      now.forEach((a, i) => {
        const b = after[i];
        if (a !== b) counts[a === 0 ? 'after' : b === 0 ? 'before' : 'other']++;
        else if (a !== 0) counts.both++;
      });
      return counts;
    };
    const shown = async () => {
      const rows = await page.locator('#difference-legend li').all();
      return Object.fromEntries(
        await Promise.all(rows.map(async (row) => [await row.getAttribute('data-side'), Number(await row.getAttribute('data-voxels'))])),
      );
    };
    const imported = await labels();
    assert.ok(counted(imported).before > 100 && counted(imported).after > 100);
    assert.ok(await isPlain(page));
    await page.locator('#slices').focus();
    await page.keyboard.press('j');
    assert.deepEqual(await shown(), counted(imported));
    const seen = await colours(page);
    assert.ok(seen.before > 200 && seen.after > 200, JSON.stringify(seen));
    await page.keyboard.press('b');
    await page.keyboard.press('Space');
    await page.waitForTimeout(200);
    assert.deepEqual(await shown(), counted(await labels()));
    await page.locator('#difference-show').uncheck();
    await page.waitForTimeout(200);
    assert.ok(await isPlain(page));
    await page.locator('#difference-show').check();
    for (let i = 0; i < 2; i++) await page.locator('#undo').click();
    assert.equal(await page.locator('#difference').isVisible(), false);
    await page.waitForTimeout(200);
    assert.ok(await isPlain(page));
    assert.deepEqual(await labels(), now);
  });

  it('is said not to be laid over an image whose segmentation was cancelled', async () => {
    // The head, of which a run takes seconds.
    const { page: other } = await openPage('?backend=cpu&sample=head');
    await other.locator('#mask').setInputFiles({ name: 'mine.nii.gz', mimeType: '', buffer: first });
    await other.locator('#cancel').click();
    await other.locator('#said', { hasText: 'mine.nii.gz: not laid over the image' }).waitFor();
    await state(other, 'ready');
    await other.close();
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
