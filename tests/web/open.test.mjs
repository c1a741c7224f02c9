/** What the built page says and does when files are opened: pairs, FreeSurfer's, bad files, files that can only be looked at. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { asMgh, asMgz } from './mgh.mjs';
import { asMicrometres, asNineDimensional, asPair, asUnscaled, readNifti } from './nifti.mjs';
import { assertAccessible, choose, download, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
const { hdr, img } = asPair(sample);

/** The page's one sentence on a file it refuses. */
async function refusal(page, name) {
  await page.locator('#error', { hasText: name }).waitFor();
  await state(page, 'error');
  const sentence = await page.locator('#error').textContent();
  assert.match(sentence, /\.$/);
  assert.doesNotMatch(sentence, /\n|undefined|panicked|unreachable/);
  return sentence;
}

/** Drops files on the page: { name: bytes }. */
const drop = (page, files) =>
  page.evaluate(
    (list) => {
      const dataTransfer = new DataTransfer();
      for (const [name, base64] of list) dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    },
    Object.entries(files).map(([name, bytes]) => [name, bytes.toString('base64')]),
  );

describe('a pair of .hdr and .img', () => {
  let page;
  let complaints;
  before(async () => ({ page, complaints } = await openPage('?backend=cpu')));
  after(() => page.close());

  it('is shown and segmented as the same image in one file, and the mask has the name of its header', async () => {
    await segmented(page);
    const expected = readNifti((await download(page)).bytes);
    await choose(page, { 'patient-8.img.gz': img, 'patient-8.hdr': hdr });
    await opened(page, 'patient-8.hdr + patient-8.img.gz');
    assert.equal(await page.locator('#view-notice').isVisible(), false);
    await segmented(page);
    const mask = await download(page);
    assert.equal(mask.name, 'patient-8_mask.nii.gz');
    const found = readNifti(mask.bytes);
    assert.deepEqual(found.sform, expected.sform);
    assert.ok(found.voxels.length > 0 && found.voxels.equals(expected.voxels));
    assert.deepEqual(complaints, []);
  });

  it('is taken from a drop, in any order and compression', async () => {
    await drop(page, { 'a.hdr.gz': gzipSync(hdr), 'a.img': gunzipSync(img) });
    await opened(page, 'a.hdr.gz + a.img');
  });

  const halves = {
    'a lone .hdr': [{ 'b.hdr': hdr }, /b\.img/],
    'a lone .img.gz': [{ 'b.img.gz': img }, /b\.hdr/],
    'a pair with two names': [{ 'b.hdr': hdr, 'c.img.gz': img }, /b\.hdr is .* b\.img .* c\.img\.gz holds .* c\.hdr/],
    'two files of which none is an image': [{ 'a.txt': hdr, 'b.doc': sample }, /a \.hdr with its \.img/],
  };
  for (const [what, [files, expected]] of Object.entries(halves)) {
    it(`(not ${what}) is asked for in one sentence`, async () => {
      await choose(page, files);
      await page.locator('#error:not([hidden])').waitFor();
      assert.match(await refusal(page, ''), expected);
      assert.match(await page.locator('#file-name').textContent(), /a\.hdr\.gz/);
    });
  }

  it('that lacks a half does not keep the other files from being opened', async () => {
    await choose(page, { 'b.hdr': hdr, 'c.nii.gz': sample, 'd.nii.gz': sample, 'readme.txt': Buffer.from('words') });
    await opened(page, 'c.nii.gz');
    assert.match(await page.locator('#error').textContent(), /b\.img/);
    assert.match(await page.locator('#said').textContent(), /no images: 1/);
    assert.deepEqual((await page.locator('#cases li > button:first-child').allTextContents()).slice(-3), [
      'a.hdr.gz + a.imgopen',
      'c.nii.gzopen',
      'd.nii.gznot opened yet',
    ]);
    await page.locator('#cases button', { hasText: 'd.nii.gz' }).click();
    await opened(page, 'd.nii.gz');
    const before = await page.locator('#cases li').count();
    await page.getByRole('button', { name: 'Close c.nii.gz' }).click();
    assert.equal(await page.locator('#cases li').count(), before - 1);
  });
});

describe('an .mgz or .mgh', () => {
  let page;
  let complaints;
  before(async () => ({ page, complaints } = await openPage('?backend=cpu')));
  after(() => page.close());

  it('is shown and segmented as the same image in NIfTI, and the mask has its name', async () => {
    await segmented(page);
    const expected = readNifti((await download(page)).bytes);
    await choose(page, { 'head.mgz': asMgz(sample) });
    await opened(page, 'head.mgz');
    assert.equal(await page.locator('#view-notice').isVisible(), false);
    await segmented(page);
    const mask = await download(page);
    assert.equal(mask.name, 'head_mask.nii.gz');
    const found = readNifti(mask.bytes);
    assert.deepEqual(found.sform, expected.sform);
    assert.ok(found.voxels.length > 0 && found.voxels.equals(expected.voxels));
    assert.deepEqual(complaints, []);
  });

  it('is taken from a drop beside files that are none, and one that is damaged is refused with its checks', async () => {
    const wrong = asMgh(sample);
    wrong.writeInt32BE(-5, 8);
    await drop(page, { 'a.mgh': asMgh(sample), 'b.mgh': wrong, 'notes.txt': Buffer.from('words') });
    await opened(page, 'a.mgh');
    assert.equal(await page.locator('#view-notice').isVisible(), false);
    await page.locator('#cases button', { hasText: 'b.mgh' }).click();
    assert.match(await refusal(page, 'b.mgh'), /height: found -5, expected a size of at least 1/);
    assert.match(await page.locator('#error-checks summary').first().textContent(), /^File checks: \d+ error/);
    assert.match(await page.locator('#file-name').textContent(), /a\.mgh/);
  });

  it('is drawn again after a reload', async () => {
    await page.waitForTimeout(1500); // what is open is kept a moment later
    await page.reload();
    await opened(page, 'a.mgh');
    assert.equal(await page.locator('#view-notice').isVisible(), false);
    assert.deepEqual(complaints, []);
  });
});

describe('a bad file', () => {
  const files = {
    'a text file': ['notes.txt', Buffer.from('this is not an image\n'.repeat(40))],
    'an empty file': ['empty.nii.gz', Buffer.alloc(0)],
    'a truncated gzip': ['cut.nii.gz', sample.subarray(0, sample.length >> 1)],
    'a file of nine dimensions': ['nine.nii.gz', asNineDimensional(sample)],
  };
  let page;
  before(async () => ({ page } = await openPage('?backend=cpu')));
  after(() => page.close());

  for (const [kind, [name, buffer]] of Object.entries(files)) {
    it(`(${kind}) is answered with one sentence`, async () => {
      await choose(page, { [name]: buffer });
      await refusal(page, name);
    });
  }

  it('that has a header is refused with what is wrong in it, field by field', async () => {
    const checks = page.locator('#error-checks');
    assert.match(await checks.locator('summary').first().textContent(), /^File checks: \d+ error/);
    await checks.locator('summary').first().click();
    const [row] = await checks.locator('> ul > li').allTextContents();
    assert.match(row, /^(Error|Warning) \S+ \S/);
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`leaves no violation that axe-core finds, ${colorScheme}`, () => assertAccessible(page, colorScheme));
  }

  it('leaves a page that still segments the sample', async () => {
    assert.equal(await page.locator('#file-name').textContent(), 'Sample crop');
    await segmented(page);
    assert.equal(await page.locator('#error-checks').isVisible(), false);
  });
});

describe('a file that the viewer reads otherwise than the engine, or not at all', () => {
  const bytes = gunzipSync(sample);
  const half = bytes.length >> 1;
  const files = {
    // One gzip file to us, none to a browser's own decompressor.
    'two members': Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))]),
    'zeros behind the last member': Buffer.concat([gzipSync(bytes), Buffer.alloc(512)]),
    micrometres: asMicrometres(sample),
    'a slope of 0 with an intercept': asUnscaled(sample),
  };
  let page;
  let expected;
  /** What a person reads: the value under the crosshair, and the volumes. */
  const seen = async () => ({
    place: await page.locator('#where').textContent(),
    volumes: await page.locator('#classes tr td:last-child').allTextContents(),
  });
  before(async () => {
    ({ page } = await openPage('?backend=cpu'));
    await segmented(page);
    expected = { ...(await seen()), voxels: readNifti((await download(page)).bytes).voxels };
    assert.match(expected.place, /\d/);
  });
  after(() => page.close());

  for (const [kind, buffer] of Object.entries(files)) {
    it(`(${kind}) is drawn as the engine reads it, and has the same mask and volumes`, async () => {
      const name = `${kind}.nii.gz`;
      await choose(page, { [name]: buffer });
      await opened(page, name);
      assert.equal(await page.locator('#view-notice').isVisible(), false);
      await segmented(page);
      const { voxels, ...said } = expected;
      assert.deepEqual(await seen(), said);
      assert.deepEqual(readNifti((await download(page)).bytes).voxels, voxels);
    });
  }
});
