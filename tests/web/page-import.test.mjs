/** Nothing that is chosen or dropped is ignored: it is opened, it waits its turn, or it is refused in words. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { dropPaths } from './drop.mjs';
import { asPair, cropped, readNifti } from './nifti.mjs';
import { browser, choose, download, kept, opened, openPage, SAMPLE, segment, segmented, server, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
/** Another image, of another size. */
const other = cropped(sample, [0, 4, 0], 34);
const scratch = mkdtempSync(join(tmpdir(), 'insitu-import-'));
after(() => rmSync(scratch, { recursive: true }));

/** Writes a file into the scratch folder, and says where it lies. */
function onDisk(name, bytes = sample) {
  const path = join(scratch, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const LONG = 60_000;

const said = (page) => page.locator('#said').textContent();

/** Begins a run that takes seconds: of the sample head. */
async function segmentForLong(page) {
  await page.locator('#sample-head').click();
  await page.locator('#file-name', { hasText: 'Sample head' }).waitFor();
  await state(page, 'ready', 'done');
  await segment(page);
  await page.locator('#cancel').waitFor();
}

/** A page of its own, closed by the caller, that is not waited for. */
async function loadingPage(query = '?backend=cpu&sample=crop') {
  const page = await browser.newPage();
  page.setDefaultTimeout(LONG);
  // Held until it is let go: the engine cannot start before its model is there.
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  await page.route('**/*.safetensors', async (route) => held.then(() => route.continue()));
  await page.goto(server.url + query);
  await page.locator('#kinds button').first().waitFor();
  return { page, letGo };
}

describe('a file that comes while the engine starts', () => {
  for (const [how, give] of Object.entries({
    chosen: (page) => choose(page, { 'early.nii.gz': sample }),
    'dropped on the slices': (page) => dropPaths(page, [onDisk('early.nii.gz')]),
  })) {
    it(`(${how}) is said to wait, and is open when the engine is there`, async () => {
      const { page, letGo } = await loadingPage();
      await give(page);
      await page.locator('#said', { hasText: 'early.nii.gz' }).waitFor();
      assert.equal(await page.locator('html').getAttribute('data-state'), 'loading');
      letGo();
      await opened(page, 'early.nii.gz');
      await page.close();
    });
  }

  it('is refused in words where the engine does not start', async () => {
    const page = await browser.newPage();
    await page.route('**/*.safetensors', (route) => route.abort());
    await page.goto(`${server.url}?backend=cpu&sample=crop`);
    await choose(page, { 'early.nii.gz': sample });
    await state(page, 'error');
    await page.locator('#said', { hasText: /not started: early/ }).waitFor();
    await choose(page, { 'late.nii.gz': sample });
    await page.locator('#said', { hasText: /not started: late/ }).waitFor();
    await page.close();
  });
});

describe('a drop', () => {
  let page;
  let complaints;
  before(async () => {
    ({ page, complaints } = await openPage('?backend=cpu'));
    page.setDefaultTimeout(LONG);
  });
  after(() => page.close());

  for (const on of ['#slices', '#tools', '.panel .card >> nth=0', 'header']) {
    it(`on ${on} is opened, and the page shows where it falls only meanwhile`, async () => {
      const name = `on-${on.replace(/\W+/g, '')}.nii.gz`;
      await dropPaths(page, [onDisk(name)], { on });
      await opened(page, name);
      assert.equal(await page.locator('#drop').isVisible(), false);
    });
  }

  it('of a folder on the slices opens what lies in it', async () => {
    onDisk('study/a/one.nii.gz');
    onDisk('study/two.nii.gz');
    await dropPaths(page, [join(scratch, 'study')]);
    await page.locator('#cases button', { hasText: 'one.nii.gz' }).waitFor();
    await page.locator('#cases button', { hasText: 'two.nii.gz' }).waitFor();
    await state(page, 'ready');
  });

  it('of an empty folder, and one of no files, is refused in words', async () => {
    mkdirSync(join(scratch, 'nothing'));
    await dropPaths(page, [join(scratch, 'nothing')]);
    await page.locator('#error', { hasText: 'nothing' }).waitFor();
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData('text/plain', 'words');
      document.querySelector('#slices').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    await page.locator('#error', { hasText: /no file/i }).waitFor();
  });

  it('while a run goes on waits for its end, says so, and does not disturb it', async () => {
    await segmentForLong(page);
    await dropPaths(page, [onDisk('meanwhile.nii.gz')]);
    await choose(page, { 'second.nii.gz': sample });
    await page.locator('#said', { hasText: /meanwhile\.nii\.gz.*second\.nii\.gz/ }).waitFor();
    assert.equal(await page.locator('html').getAttribute('data-state'), 'running');
    await opened(page, 'second.nii.gz');
    const rows = await page.locator('#cases li > button:first-child').allTextContents();
    assert.ok(rows.some((row) => row.includes('meanwhile.nii.gz')));
    assert.equal(rows.filter((row) => row.includes('segmented')).length, 1);
    assert.deepEqual(complaints, []);
  });

  it('that can no longer be read when its turn comes is refused by name', async () => {
    await segmentForLong(page);
    const [gone, stays] = [onDisk('gone.nii.gz'), onDisk('stays.nii.gz')];
    await page.locator('#file').setInputFiles([gone, stays]);
    rmSync(gone);
    await opened(page, 'stays.nii.gz');
    assert.match(await page.locator('#error').textContent(), /gone\.nii\.gz/);
    rmSync(onDisk('lost.nii.gz'));
    assert.doesNotMatch(await said(page), /lost/);
  });

  it('of a volume in the list while a run goes on is answered in words', async () => {
    await segmentForLong(page);
    await page.locator('#cases button[aria-current=false]').first().click();
    await page.locator('#said', { hasText: /run|busy/i }).waitFor();
    await page.locator('#cancel').click();
    await state(page, 'ready', 'done');
  });
});

describe('the same file twice', () => {
  let page;
  before(async () => {
    ({ page } = await openPage('?backend=cpu'));
    page.setDefaultTimeout(LONG);
  });
  after(() => page.close());
  const rows = () => page.locator('#cases li > button:first-child').allTextContents();

  it('is one entry of the list, however it comes, and is shown', async () => {
    const twice = onDisk('twice/T1.nii.gz');
    await choose(page, { 'T1.nii.gz': sample, 'T2.nii.gz': other });
    await opened(page, 'T1.nii.gz');
    await page.locator('#cases button', { hasText: 'T2.nii.gz' }).click();
    await opened(page, 'T2.nii.gz');
    await dropPaths(page, [twice]);
    await opened(page, 'T1.nii.gz');
    assert.match(await said(page), /Open already: T1\.nii\.gz/);
    assert.equal((await rows()).length, 2);
  });

  it('is two entries where its name repeats and its voxels do not, and each is told from the other', async () => {
    await choose(page, { 'T1.nii.gz': other });
    await opened(page, 'T1.nii.gz (2)');
    assert.equal((await rows()).length, 3);
    assert.match((await rows())[0], /^T1\.nii\.gz[a-z]/);
  });

  it('is one entry in the next visit too', async () => {
    await kept(page);
    await page.reload();
    await opened(page, 'T1.nii.gz (2)');
    await choose(page, { 'T1.nii.gz': sample });
    await page.locator('#said', { hasText: 'Open already' }).waitFor();
    assert.equal((await rows()).length, 3);
  });
});

describe('names that repeat', () => {
  let page;
  beforeEach(async () => {
    ({ page } = await openPage('?backend=cpu'));
    page.setDefaultTimeout(LONG);
  });
  afterEach(() => page.close());

  for (const [how, give] of Object.entries({
    dropped: () => dropPaths(page, [join(scratch, 'pairs')]),
    'chosen as a folder': () => page.locator('#folder').setInputFiles(join(scratch, 'pairs')),
  })) {
    it(`(${how}) belong to their folders: a pair has both halves of one, and list and files say which`, async () => {
      // Two images of different sizes: the voxels of one do not fit the header of the other.
      for (const [folder, file] of [
        ['sub1', sample],
        ['sub2', other],
      ]) {
        const { hdr, img } = asPair(file);
        onDisk(`pairs/${folder}/T1.hdr`, hdr);
        onDisk(`pairs/${folder}/T1.img`, gunzipSync(img));
      }
      await give();
      await opened(page, 'sub1/T1.hdr + T1.img');
      for (const [folder, file] of [
        ['sub1', sample],
        ['sub2', other],
      ]) {
        await page
          .locator('#cases button', { hasText: `${folder}/T1.hdr + T1.img` })
          .first()
          .click();
        await opened(page, `${folder}/T1.hdr + T1.img`);
        await segmented(page);
        const mask = await download(page);
        assert.equal(mask.name, `${folder}_T1_mask.nii.gz`);
        assert.deepEqual(readNifti(mask.bytes).dims, readNifti(file).dims);
        assert.equal((await download(page, 'Volumes (.csv)')).name, `${folder}_T1_volumes.csv`);
        assert.equal((await download(page, 'All as one .zip')).name, `${folder}_T1_insitu.zip`);
      }
      const report = JSON.parse(await page.locator('#report').textContent());
      assert.equal(report.input.name, 'sub2/T1.hdr');
    });
  }

  it('of a header with two files of voxels is asked about', async () => {
    const { hdr, img } = asPair(sample);
    await choose(page, { 'a.hdr': hdr, 'a.img': gunzipSync(img), 'a.img.gz': img });
    await page.locator('#error', { hasText: 'a.hdr has more than one partner (a.img, a.img.gz)' }).waitFor();
  });
});
