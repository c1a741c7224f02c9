/**
 * Teaching through the page: the sample with its contrast turned round, which the model does not know; slices corrected with the
 * keyboard and marked as right; tuned, tested, undone, redone, saved, kept over a reload, and reverted.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { notRun } from '../not-run.mjs';
import { readNifti } from './nifti.mjs';
import { browser, choose, download, kept, opened, openPage, SAMPLE, segmented, state } from './page.mjs';
import { correctSlices, truth } from './teaching.mjs';

/** The sample with its contrast turned round, in the type that its file has. */
function inverted() {
  const bytes = Buffer.from(gunzipSync(readFileSync(SAMPLE)));
  const at = bytes.readFloatLE(108);
  const kind = {
    2: ['readUInt8', 'writeUInt8', 1],
    4: ['readInt16LE', 'writeInt16LE', 2],
    512: ['readUInt16LE', 'writeUInt16LE', 2],
    16: ['readFloatLE', 'writeFloatLE', 4],
  }[bytes.readInt16LE(70)];
  const [read, write, size] = kind;
  let top = 0;
  for (let i = at; i < bytes.length; i += size) top = Math.max(top, bytes[read](i));
  for (let i = at; i < bytes.length; i += size) bytes[write](top - bytes[read](i), i);
  return gzipSync(bytes);
}

const maskNow = async (page) => readNifti((await download(page)).bytes).voxels;
const dice = (mask, label) => {
  let [both, sum] = [0, 0];
  mask.forEach((value, i) => {
    both += value === label && truth.voxels[i] === label ? 2 : 0;
    sum += (value === label ? 1 : 0) + (truth.voxels[i] === label ? 1 : 0);
  });
  return both / sum;
};

describe('teaching', () => {
  it('tunes on corrections, is tested, undone, redone, kept and reverted', async (t) => {
    const context = await browser.newContext();
    const { page, complaints } = await openPage('?backend=cpu', context);
    await choose(page, { 'turned.nii.gz': inverted() });
    await opened(page, 'turned.nii.gz');
    await segmented(page);
    if (/cannot be tuned/.test(await page.locator('#teach-found').textContent())) {
      await context.close();
      return notRun(t, 'build', 'this build of the engine cannot be tuned');
    }
    assert.equal(await page.locator('#tune').isDisabled(), true);
    assert.match(await page.locator('#advice').textContent(), /^What next: press “Next slice to check”/);
    const before = await maskNow(page);
    await correctSlices(page);
    assert.match(await page.locator('#teach-found').textContent(), /^\d+ corrected voxels, \d+ checked slices, in 1 volumes\.$/);
    const corrected = await maskNow(page);
    assert.match(await page.locator('#advice').textContent(), /^Enough to begin/);

    // A reload in the middle of the tuning: the corrections are there, the model is the shipped one, and it is tuned anew.
    const taught = await page.locator('#teach-found').textContent();
    for (const interrupted of [true, false]) {
      await page.locator('#minutes').fill('0.3');
      await page.locator('#tune').click();
      await state(page, 'tuning');
      await page.locator('#curves').waitFor();
      if (interrupted) await page.reload();
      await state(page, 'done', 'error');
      if (!interrupted) continue;
      assert.equal(await page.locator('#tuned').isVisible(), false);
      assert.equal(await page.locator('#teach-found').textContent(), taught);
      assert.deepEqual(await maskNow(page), corrected);
    }
    assert.equal(await page.locator('#error').textContent(), '');
    await page.locator('#verdict').waitFor();
    const verdict = await page.locator('#verdict-words').textContent();
    t.diagnostic(verdict);
    const numbers = await page.locator('#verdict-rows tr').allTextContents();
    t.diagnostic(numbers.join('; '));
    assert.match(numbers[0], /^Dice on held-out marks\d\.\d{3}\d\.\d{3}\+\d\.\d{3}$/);
    assert.match(numbers.at(-1), /^Dice on the model’s example\d\.\d{3}\d\.\d{3}[-+]?\d\.\d{3}$/);
    assert.match(await page.locator('#curves-words').textContent(), /loss \d.*held out 0\.\d/);
    // Axes with numbers and names, and a legend for both curves.
    const words = await page.locator('#curves-svg text').allTextContents();
    for (const word of ['Loss, least 0 (left)', 'Dice on held-out marks (right)', 'Steps of training', '0', '0.5', '1'])
      assert.ok(words.includes(word), words.join(' | '));
    for (const kind of ['loss', 'dice']) assert.equal(await page.locator(`#curves-svg polyline.${kind}`).count(), 1);
    assert.match(verdict, /^Accepted/);

    // The tuned model has segmented anew: nearer to the truth, and what was corrected stays.
    await state(page, 'done', 'error');
    const after = await maskNow(page);
    for (const label of [1, 2])
      t.diagnostic(
        `Dice of label ${label} with the truth: ${dice(before, label).toFixed(3)} by the shipped model, ${dice(corrected, label).toFixed(3)} corrected, ${dice(after, label).toFixed(3)} by the tuned one`,
      );
    assert.ok(dice(after, 1) + dice(after, 2) > dice(before, 1) + dice(before, 2));
    assert.equal(await page.locator('#tuned').isVisible(), true);
    await page.locator('#compare').fill('0');
    await page.locator('#compare').fill('1');

    // Undo: the run, then the tuning; redo both. What is undone is seen, and no longer the mask of before.
    await page.locator('#compare').fill('0');
    await page.locator('#undo').click();
    await page.locator('#said', { hasText: 'Undone: segmentation' }).waitFor();
    assert.equal(await page.locator('#compare').inputValue(), '1');
    assert.deepEqual(await maskNow(page), corrected);
    await page.locator('#undo').click();
    await page.locator('#said', { hasText: 'Undone: tuning' }).waitFor();
    assert.equal(await page.locator('#tuned').isVisible(), false);
    assert.equal(await page.locator('#verdict').isVisible(), false, 'the verdict is of a model that no longer runs');
    await page.locator('#redo').click();
    await page.locator('#said', { hasText: 'Redone: tuning' }).waitFor();
    await page.locator('#redo').click();
    await page.locator('#said', { hasText: 'Redone: segmentation' }).waitFor();
    assert.deepEqual(await maskNow(page), after);
    const delta = await download(page, 'Save the tuned model');
    assert.match(delta.name, /-tuned\.safetensors$/);

    // A reload keeps model and mask.
    await kept(page);
    await page.reload();
    await state(page, 'done', 'error');
    assert.equal(await page.locator('#tuned').isVisible(), true);
    assert.deepEqual(await maskNow(page), after);

    // Back to the shipped model; the saved one as a colleague's, judged on the corrections and taken; and loaded again.
    const file = { name: delta.name, mimeType: 'application/octet-stream', buffer: delta.bytes };
    const back = async () => {
      await page.getByRole('button', { name: 'Return to the shipped model' }).click();
      await page.locator('#tuned').waitFor({ state: 'hidden' });
    };
    await back();
    await page.locator('#merge-file').setInputFiles([file]);
    await page.locator('#verdict-words', { hasText: /^Taken: the mean of both models/ }).waitFor();
    await state(page, 'done', 'error');
    assert.equal(await page.locator('#tuned').isVisible(), true);
    assert.deepEqual(await maskNow(page), after);
    await back();
    await page.locator('#delta-file').setInputFiles([file]);
    await page.locator('#said', { hasText: 'was loaded' }).waitFor();
    assert.equal(await page.locator('#tuned').isVisible(), true);

    // Where to look next.
    await page.locator('#next-slice').click();
    await state(page, 'done', 'error');
    assert.equal(await page.locator('#error').textContent(), '');
    await page.locator('#next-said:not(:empty)').waitFor();
    assert.match(await page.locator('#next-said').textContent(), /^Slice \d+ of the .* view is where the model is least sure\.$/);
    assert.deepEqual(complaints, []);
    await context.close();
  });
});
