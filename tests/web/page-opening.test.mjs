/** What is in sight while files are opened and after: progress at once, the button that segments, and what is said, where it was done. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { choose, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const sample = gunzipSync(readFileSync(SAMPLE));

/** The sample's header over 256^3 voxels. */
function large() {
  const side = 256;
  const header = Buffer.from(sample.subarray(0, 352));
  for (const axis of [42, 44, 46]) header.writeInt16LE(side, axis);
  header.writeInt16LE(2, 70);
  header.writeInt16LE(8, 72);
  header.writeFloatLE(352, 108);
  const voxels = Buffer.alloc(side ** 3);
  for (let i = 0; i < voxels.length; i++) voxels[i] = (i >> 3) ^ (i >> 11) ^ (i >> 18);
  return gzipSync(Buffer.concat([header, voxels]), { level: 1 });
}

/** Small volumes that differ in one voxel, as those of several persons would in all. */
const patients = (count) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => {
      const bytes = Buffer.from(sample);
      bytes[bytes.length - 1] = i + 1;
      return [`patient-${i + 1}.nii.gz`, gzipSync(bytes)];
    }),
  );

describe('opening', () => {
  it('of a large file is seen within 200 ms, by its name, until it is open', async (t) => {
    const { page, complaints } = await openPage('?backend=cpu');
    // From the moment the page is told of the file to the first frame that shows it.
    await page.evaluate(() => {
      window.seen = { words: [] };
      document.querySelector('#file').addEventListener('change', () => (window.seen.from = performance.now()), true);
      const look = () => {
        const opening = document.querySelector('#opening');
        if (window.seen.from && !opening.hidden && opening.getBoundingClientRect().height > 0) {
          window.seen.after ??= performance.now() - window.seen.from;
          const words = document.querySelector('#opening-words').textContent;
          if (window.seen.words.at(-1) !== words) window.seen.words.push(words);
        }
        requestAnimationFrame(look);
      };
      look();
    });
    await choose(page, { 'large.nii.gz': large() });
    await opened(page, 'large.nii.gz');
    const { after, words } = await page.evaluate(() => window.seen);
    t.diagnostic(`${after.toFixed(0)} ms; ${words.join(' ')}`);
    assert.ok(after < 200, `${after} ms`);
    assert.deepEqual(words, ['Reading large.nii.gz…', 'Checking large.nii.gz…', 'Drawing large.nii.gz…']);
    assert.equal(await page.locator('#opening').isVisible(), false);
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

describe('eight patients', () => {
  for (const [width, height] of [
    [1280, 720],
    [390, 844],
  ]) {
    it(`leave the buttons that segment in sight, at ${width} x ${height}`, async () => {
      const { page } = await openPage('?backend=cpu');
      await page.setViewportSize({ width, height });
      await choose(page, patients(8));
      await opened(page, 'patient-1.nii.gz');
      await page.locator('#segment-all').waitFor();
      const inSight = async (id) => {
        const { x, y, width: across, height: down } = await page.locator(id).boundingBox();
        const isHit = await page.evaluate(
          ([id, x, y]) => document.querySelector(id) === document.elementFromPoint(x, y),
          [id, x + across / 2, y + down / 2],
        );
        return isHit && x >= 0 && y >= 0 && x + across <= width && y + down <= height;
      };
      for (const id of ['#segment', '#segment-all']) assert.ok(await inSight(id), id);
      // And wherever the panel, or on a phone the page, has been scrolled to.
      for (const id of ['#h-segment', '#keys', '#h-image']) {
        await page.locator(id).scrollIntoViewIfNeeded();
        assert.ok(await inSight('#segment'), `#segment, scrolled to ${id}`);
      }
      await page.close();
    });
  }
});

describe('what is said', () => {
  const placeOf = (page, id) => page.locator(id).evaluate((line) => line.closest('[data-says]').dataset.says);

  it('stands beside what was done, and goes with the next thing that is done', async () => {
    const { page } = await openPage('?backend=cpu');
    const said = page.locator('#said');
    await choose(page, { ...patients(2), 'notes.txt': Buffer.from('words') });
    await opened(page, 'patient-1.nii.gz');
    await page.locator('#said', { hasText: 'notes.txt' }).waitFor();
    assert.equal(await placeOf(page, '#said'), 'image');

    await segmented(page);
    await page.locator('#said', { hasText: /^Done in/ }).waitFor();
    assert.equal(await placeOf(page, '#said'), 'segment');

    // A stroke makes it old; what is undone is said over the slices, which do not move for it.
    await page.locator('#kinds button[value=brush]').click();
    const before = await page.locator('#slices').boundingBox();
    await page.mouse.click(before.x + before.width * 0.3, before.y + before.height * 0.3);
    await page.locator('#undo:enabled').waitFor();
    assert.equal(await said.textContent(), '');
    await page.locator('#undo').click();
    await page.locator('#said', { hasText: 'Undone' }).waitFor();
    assert.equal(await placeOf(page, '#said'), 'viewer');
    assert.deepEqual(await page.locator('#slices').boundingBox(), before);
    await page.mouse.click(before.x + before.width * 0.3, before.y + before.height * 0.3);
    await page.locator('#undo:enabled').waitFor();
    assert.equal(await page.locator('.over').isVisible(), false, 'nothing is said over the slices');

    await page.locator('#delta-file').setInputFiles({ name: 'words.safetensors', mimeType: '', buffer: Buffer.from('words') });
    await page.locator('#error:not([hidden])').waitFor();
    assert.equal(await placeOf(page, '#error'), 'teach');
    await page.getByRole('button', { name: 'Close patient-2.nii.gz' }).click();
    await page.locator('#said', { hasText: 'patient-2.nii.gz' }).waitFor();
    assert.equal(await placeOf(page, '#said'), 'image');

    // What is refused is said where files are opened, and is gone with the next that is.
    await choose(page, { 'broken.nii.gz': Buffer.from('words') });
    await page.locator('#error', { hasText: 'broken.nii.gz' }).waitFor();
    assert.equal(await placeOf(page, '#error'), 'image');
    await choose(page, { 'patient-3.nii.gz': patients(3)['patient-3.nii.gz'] });
    await page.locator('#file-name', { hasText: 'patient-3' }).waitFor();
    await state(page, 'ready');
    assert.equal(await page.locator('#error').isVisible(), false);
    await page.close();
  });
});
