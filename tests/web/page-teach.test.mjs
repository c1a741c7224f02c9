/**
 * Teaching through the page: the sample with its contrast turned round, which the model does not know; slices corrected with the
 * keyboard and marked as right; tuned, judged, undone, redone, saved, kept over a reload, and reverted.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { root } from '../../scripts/tools.mjs';
import { notRun } from '../not-run.mjs';
import { readNifti } from './nifti.mjs';
import { browser, choose, download, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const truth = readNifti(readFileSync(join(root, 'pkg/samples/hippocampus/label.nii.gz')));
const [nx, ny, nz] = truth.dims;
const labelAt = (x, y, z) => truth.voxels[x + nx * (y + ny * z)];

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

/** By coronal slice: for each label that is large there, the voxel in its middle and the radius of a disc of its area. */
function discs() {
  const slices = [];
  for (let y = 6; y < ny - 4; y += 5) {
    const found = [1, 2].map((label) => {
      const sum = [0, 0, 0];
      for (let z = 0; z < nz; z++)
        for (let x = 0; x < nx; x++) if (labelAt(x, y, z) === label) [x, z, 1].forEach((value, k) => (sum[k] += value));
      return { label, x: Math.round(sum[0] / sum[2]), z: Math.round(sum[1] / sum[2]), radius: Math.sqrt(sum[2] / Math.PI), area: sum[2] };
    });
    slices.push({ y, discs: found.filter(({ area }) => area >= 20) });
  }
  return slices;
}

const press = async (page, key, times = 1) => {
  for (let i = 0; i < times; i++) await page.keyboard.press(key);
};

/** Moves the crosshair along the slice (x, z) or through the slices (y). */
async function goTo(page, place) {
  for (const [axis, [more, less]] of [
    ['x', ['ArrowRight', 'ArrowLeft']],
    ['z', ['ArrowUp', 'ArrowDown']],
    ['y', ['PageUp', 'PageDown']],
  ]) {
    const by = (place[axis] ?? page.crosshair[axis]) - page.crosshair[axis];
    await press(page, by > 0 ? more : less, Math.abs(by));
    page.crosshair[axis] += by;
  }
}

async function correctSlices(page) {
  await page.locator('#slices').focus();
  await press(page, '2');
  page.crosshair = { x: nx >> 1, y: ny >> 1, z: nz >> 1 };
  for (const { y, discs: wanted } of discs()) {
    await goTo(page, { y, x: nx >> 1, z: nz >> 1 });
    await page.locator('#slices').focus();
    await press(page, 'e');
    await page.locator('#size').fill('18');
    await page.locator('#slices').focus();
    await press(page, 'Space');
    for (const { label, x, z, radius } of wanted) {
      await goTo(page, { x, z });
      await page.locator(`#classes input[type=radio][value="${label}"]`).check();
      await page.locator('#size').fill(String(Math.round(Math.log(radius / 3) / Math.log(1.2) + 5)));
      await page.locator('#slices').focus();
      await press(page, 'b');
      await press(page, 'Space');
    }
    await press(page, 'k');
  }
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
  it('tunes on corrections, is judged, undone, redone, kept and reverted', async (t) => {
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
    const before = await maskNow(page);
    await correctSlices(page);
    assert.match(await page.locator('#teach-found').textContent(), /^\d+ corrected voxels, \d+ checked slices, in 1 volumes\.$/);
    const corrected = await maskNow(page);

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
    assert.match(verdict, /^(Accepted|Refused).*Before: Dice \d\.\d{3}\. After: Dice \d\.\d{3}\.$/);
    assert.match(await page.locator('#curves-words').textContent(), /loss -?\d.*check Dice 0\.\d/);
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
    await page.locator('#redo').click();
    await page.locator('#said', { hasText: 'Redone: tuning' }).waitFor();
    await page.locator('#redo').click();
    await page.locator('#said', { hasText: 'Redone: segmentation' }).waitFor();
    assert.deepEqual(await maskNow(page), after);
    const delta = await download(page, 'Save the tuned model');
    assert.match(delta.name, /-tuned\.safetensors$/);

    // A reload keeps model and mask.
    await page.waitForTimeout(1500);
    await page.reload();
    await state(page, 'done', 'error');
    assert.equal(await page.locator('#tuned').isVisible(), true);
    assert.deepEqual(await maskNow(page), after);

    // Back to the shipped model, and the saved one loaded again.
    await page.getByRole('button', { name: 'Return to the shipped model' }).click();
    await page.locator('#said', { hasText: 'shipped' }).waitFor();
    assert.equal(await page.locator('#tuned').isVisible(), false);
    await page.locator('#delta-file').setInputFiles([{ name: delta.name, mimeType: 'application/octet-stream', buffer: delta.bytes }]);
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
