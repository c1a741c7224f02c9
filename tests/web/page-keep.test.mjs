/** What a person made is not lost by a click: closed volumes and forgotten work come back, approvals hold for the mask that they saw. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readNifti } from './nifti.mjs';
import { browser, choose, download, kept, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const maskNow = async (page) => readNifti((await download(page)).bytes).voxels;
const said = (page) => page.locator('#said').textContent();

/** A stroke across the axial slice, which is shown alone. */
async function stroke(page) {
  const { x, y, width, height } = await page.locator('#slices').boundingBox();
  await page.mouse.move(x + 0.42 * width, y + 0.3 * height);
  await page.mouse.down();
  await page.mouse.move(x + 0.6 * width, y + 0.35 * height, { steps: 6 });
  await page.mouse.up();
}

/** Two patients, of whom the first is segmented, and a stroke was made. */
async function corrected() {
  const context = await browser.newContext();
  const { page } = await openPage('?backend=cpu', context);
  page.setDefaultTimeout(60_000);
  await choose(page, { 'patient.nii.gz': sample, 'other.nii.gz': sample });
  await opened(page, 'patient.nii.gz');
  await segmented(page);
  await press(page, 'Axial');
  await press(page, 'Brush');
  return { context, page };
}

describe('work that is being written', () => {
  it('is said to be kept when it is, and not before', async () => {
    const context = await browser.newContext();
    await context.addInitScript(() => {
      const { createWritable } = FileSystemFileHandle.prototype;
      const waiting = new Promise((resolve) => (window.letWrite = resolve));
      FileSystemFileHandle.prototype.createWritable = async function (...args) {
        if (this.name === 'page.json') await waiting;
        return createWritable.apply(this, args);
      };
    });
    const { page } = await openPage('?backend=cpu', context);
    await choose(page, { 'patient.nii.gz': sample });
    await opened(page, 'patient.nii.gz');
    await page.waitForTimeout(1500);
    assert.equal(await page.locator('#kept').textContent(), '');
    await page.evaluate(() => window.letWrite());
    await page.locator('#kept', { hasText: 'is kept in this browser until' }).waitFor();
    await context.close();
  });
});

describe('an edited patient', () => {
  let context;
  let page;
  let mask;
  before(async () => {
    ({ context, page } = await corrected());
    await stroke(page);
    mask = await maskNow(page);
  });
  after(() => context.close());

  it('that is closed comes back as it was, undo and all', async () => {
    await press(page, 'Close patient.nii.gz');
    await opened(page, 'other.nii.gz');
    assert.match(await said(page), /Closed: patient\.nii\.gz/);
    await press(page, 'Open patient.nii.gz again, as it was');
    await page.locator('#file-name', { hasText: 'patient.nii.gz' }).waitFor();
    await state(page, 'done');
    assert.deepEqual(await maskNow(page), mask);
    assert.equal(await page.locator('#reopen').isVisible(), false);
    assert.match(await page.locator('#cases li').first().textContent(), /patient/);
    await press(page, 'Undo');
    assert.notDeepEqual(await maskNow(page), mask);
    await press(page, 'Redo');
  });

  it('that was forgotten is kept after all, and is there after a reload', async () => {
    await press(page, 'Forget what is kept in this browser');
    await page.locator('#kept', { hasText: 'Nothing is kept' }).waitFor();
    await press(page, 'Keep my work after all');
    await page.locator('#kept', { hasText: 'is kept in this browser until' }).waitFor();
    await kept(page);
    await page.reload();
    await state(page, 'done', 'error');
    assert.deepEqual(await maskNow(page), mask);
  });

  it('that is segmented again says before and after what happens to the corrections, and undo brings them back', async () => {
    assert.match(await page.locator('#plan').textContent(), /replaces your corrections/);
    await segmented(page);
    assert.match(await said(page), /[1-9]\d* voxels that you had corrected were replaced/);
    assert.notDeepEqual(await maskNow(page), mask);
    assert.equal(await page.locator('#plan').textContent(), '');
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), mask);
  });
});

describe('an open patient', () => {
  it('is closed, also where the next one in the list cannot be opened', async () => {
    const { page } = await openPage('?backend=cpu');
    page.setDefaultTimeout(60_000);
    const broken = gzipSync(gunzipSync(sample).subarray(0, 1000));
    await choose(page, { 'a.nii.gz': sample, 'b.nii.gz': broken, 'c.nii.gz': sample });
    await opened(page, 'a.nii.gz');
    await page.locator('#error', { hasText: 'b.nii.gz' }).waitFor();
    await press(page, 'Close a.nii.gz');
    await opened(page, 'c.nii.gz');
    assert.match(await said(page), /Closed: a\.nii\.gz/);
    await page.close();
  });
});

describe('a slice that was found right', () => {
  let context;
  let page;
  before(async () => ({ context, page } = await corrected()));
  after(() => context.close());
  const marked = () => page.locator('#teach-found').textContent();
  const isPressed = () => page.locator('#check-slice').getAttribute('aria-pressed');

  it('is not right any more when its mask changes, and is again when that is undone', async () => {
    await page.locator('#check-slice').click();
    assert.match(await marked(), /0 corrected voxels, 1 checked slices/);
    await stroke(page);
    assert.match(await marked(), /[1-9]\d* corrected voxels, 0 checked slices/);
    assert.equal(await isPressed(), 'false');
    await press(page, 'Undo');
    assert.match(await marked(), /1 checked slices/);
    assert.equal(await isPressed(), 'true');
  });

  it('is not right any more when another run replaces what was seen, and that is said', async () => {
    await stroke(page);
    await page.locator('#check-slice').click();
    assert.match(await marked(), /1 checked slices/);
    await segmented(page);
    assert.match(await said(page), /no longer marked as right.*: 1/);
    await page.locator('#report', { hasText: 'sha256' }).waitFor({ state: 'attached' });
    assert.deepEqual(JSON.parse(await page.locator('#report').textContent()).checkedSlices, []);
    assert.equal(await isPressed(), 'false');
  });

  it('stays right over a run that gives the same', async () => {
    await page.locator('#check-slice').click();
    await segmented(page);
    assert.equal(await isPressed(), 'true');
    assert.doesNotMatch(await said(page), /no longer/);
  });
});
