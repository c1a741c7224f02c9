/** Folders as people have them: what can be opened is open, what cannot is named, and DICOM says what is wrong with it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { notRun } from '../not-run.mjs';
import { dicomSeries } from './dicom.mjs';
import { dropPaths } from './drop.mjs';
import { opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
const cases = join(process.env.INSITU_DATA ?? join(root, '../shared/data'), 'cases-2');
const scratch = mkdtempSync(join(tmpdir(), 'insitu-folders-'));
after(() => rmSync(scratch, { recursive: true }));

let page;
beforeEach(async () => {
  ({ page } = await openPage('?backend=cpu'));
  page.setDefaultTimeout(60_000);
});
afterEach(() => page.close());

const pick = (folder) => page.locator('#folder').setInputFiles(folder);
const drop = (folder) => dropPaths(page, [folder]);
const rows = () => page.locator('#cases li > button:first-child').allTextContents();
const wrong = () => page.locator('#error').textContent();
const said = () => page.locator('#said').textContent();
const notes = () => page.locator('#file-notes li').allTextContents();
const series = () => page.locator('#dicom-series option').allTextContents();

/** A folder in the scratch folder: { path: bytes }. */
function folderOf(name, files) {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(scratch, name, path)), { recursive: true });
    writeFileSync(join(scratch, name, path), bytes);
  }
  return join(scratch, name);
}

/** Of a series of MR slices at 1 mm those that are to be there, under their numbers. */
const slices = (folder, what, isThere = () => true) =>
  Object.fromEntries(
    Object.entries(dicomSeries(sample, what))
      .filter((_, i) => isThere(i))
      .map(([name, bytes]) => [`${folder}/${name.split('-')[1]}`, bytes]),
  );

/** Runs `test` with one of the handed folders, where they are. */
const handed = (folder, test) => async (t) => {
  if (!existsSync(join(cases, folder))) return notRun(t, 'data', `there is no ../shared/data/cases-2/${folder}`);
  return test(join(cases, folder));
};

describe('a folder with files that are no images', () => {
  for (const [how, give] of Object.entries({ dropped: drop, chosen: pick })) {
    it(
      `(${how}) of a Mac opens what is one, and names what it left out`,
      handed('folder/mac', async (folder) => {
        await give(folder);
        await opened(page, 'T1.nii.gz');
        assert.deepEqual((await rows()).length, 2);
        assert.match(await said(), /\._T1\.nii\.gz.*\._T2\.nii\.gz/);
        assert.equal(await wrong(), '');
      }),
    );

    it(
      `(${how}) whose first is empty opens the others, and names it`,
      handed('folder/badfirst', async (folder) => {
        await give(folder);
        await opened(page, '1.nii.gz');
        assert.deepEqual((await rows()).length, 2);
        assert.match(await wrong(), /empty: badfirst\/0\.nii\.gz/);
        assert.equal(await page.locator('html').getAttribute('data-state'), 'ready');
      }),
    );
  }

  it('names broken ones wherever they lie, and opens all else', async () => {
    const cut = sample.subarray(0, sample.length >> 1);
    const folder = folderOf('broken', {
      '0.nii.gz': cut,
      '1.nii.gz': Buffer.from('no image'),
      '2.nii.gz': sample,
      '3.nii.gz': Buffer.alloc(0),
      '4.nii.gz': cut,
      'deep/er/5.nii.gz': sample,
      'notes.txt': Buffer.from('words'),
    });
    await drop(folder);
    await opened(page, '2.nii.gz');
    assert.match(await said(), /no images: 1 \(broken\/notes\.txt\)/);
    // Its beginning is right: that it ends too early is found a moment later.
    await page.locator('#cases button', { hasText: '4.nii.gzcannot be opened' }).waitFor();
    const sentence = await wrong();
    for (const name of ['0.nii.gz', 'broken/1.nii.gz', 'broken/3.nii.gz', '4.nii.gz']) assert.ok(sentence.includes(name), sentence);
    await page.locator('#cases button', { hasText: '5.nii.gz' }).first().click();
    await opened(page, '5.nii.gz');
  });

  it('of which nothing can be opened is refused by name, and the image before stays', async () => {
    await drop(folderOf('nothing', { 'a.nii.gz': Buffer.alloc(0), 'b.nii.gz': Buffer.from('no image') }));
    await state(page, 'error');
    assert.match(await wrong(), /empty: nothing\/a\.nii\.gz.*nothing\/b\.nii\.gz/);
    assert.equal(await page.locator('#file-name').textContent(), 'Sample crop');
  });
});

describe('a folder of DICOM files', () => {
  for (const [how, give] of Object.entries({ dropped: drop, chosen: pick })) {
    it(
      `(${how}) without preamble is opened`,
      handed('dicom/bare', async (folder) => {
        await give(folder);
        await opened(page, '1_bare.nii');
        assert.match(await page.locator('#file-facts').textContent(), /34 × 52 × 35/);
        assert.deepEqual(await notes(), []);
      }),
    );

    it(
      `(${how}) with the same names in two folders offers both series whole`,
      handed('dicom/samename', async (folder) => {
        await give(folder);
        await page.locator('#dicom-pick').waitFor();
        assert.deepEqual(await series(), ['2_right.nii (36 × 52 × 38)', '1_left.nii (34 × 52 × 35)']);
        assert.equal(await wrong(), '');
      }),
    );

    it(
      `(${how}) that lacks slices says so beside the series, the image and the report, and is no stack with closed gaps`,
      handed('dicom/missing', async (folder) => {
        await give(folder);
        await opened(page, '1_gap_Eq_1.nii');
        assert.match(await page.locator('#file-facts').textContent(), /34 × 52 × 34/);
        assert.equal((await notes()).length, 2);
        assert.match((await notes()).join(' '), /unequal distances.*29 were found, numbered from 1 to 35/);
        const report = JSON.parse(
          await page
            .locator('#report')
            .textContent()
            .then((text) => text || '{}'),
        );
        assert.deepEqual(report, {});
        const { converted } = await segmented(page).then(async () => {
          await page.locator('#report', { hasText: 'sha256' }).waitFor({ state: 'attached' });
          return JSON.parse(await page.locator('#report').textContent());
        });
        assert.match(converted.warnings.join(' '), /Interslice distance varies.*Missing images/);
      }),
    );

    it(
      `(${how}) with a series that lacks slices offers the good one too, and none with closed gaps`,
      handed('dicom/good-and-gap', async (folder) => {
        await give(folder);
        await page.locator('#dicom-pick').waitFor();
        assert.deepEqual(await series(), ['1_rand.nii (34 × 52 × 35)', '1_gap_Eq_1.nii (34 × 52 × 34, with warnings)']);
        await page.locator('#dicom-series').selectOption('1');
        assert.match(await page.locator('#dicom-warnings').textContent(), /unequal distances/);
        await page.locator('#dicom-series').selectOption('0');
        assert.equal(await page.locator('#dicom-warnings').isVisible(), false);
      }),
    );
  }

  it('with NIfTI files beside them opens these and offers the series', async () => {
    await drop(folderOf('both', { 'mine.nii.gz': sample, ...slices('t1', { series: 5, description: 'T1' }) }));
    await opened(page, 'mine.nii.gz');
    await page.locator('#dicom-pick').waitFor();
    assert.deepEqual(await series(), ['5_T1.nii (34 × 49 × 34, with warnings)']);
    await page.locator('#dicom-open').click();
    await opened(page, '5_T1.nii');
    assert.equal((await rows()).length, 2);
    await page.locator('#dicom-open').click();
    await opened(page, '5_T1.nii');
    assert.equal((await rows()).length, 2);
  });

  it('of two patients with equal series says of which folder each is', async () => {
    const study = (folder) => slices(`${folder}/s`, { series: 5, description: 'T1' });
    const other = Object.fromEntries(
      Object.entries(study('b')).map(([name, bytes]) => [
        name,
        Buffer.from(bytes.toString('latin1').replaceAll('.10.99.', '.10.98.'), 'latin1'),
      ]),
    );
    await drop(folderOf('two', { ...study('a'), ...other }));
    await page.locator('#dicom-pick').waitFor();
    assert.deepEqual((await series()).toSorted(), [
      'a/s/5_T1.nii (34 × 49 × 34, with warnings)',
      'b/s/5_T1.nii (34 × 49 × 34, with warnings)',
    ]);
    for (const value of ['0', '1']) {
      await page.locator('#dicom-series').selectOption(value);
      await page.locator('#dicom-open').click();
      await opened(page, '5_T1.nii');
    }
    assert.deepEqual((await rows()).map((row) => row.replace(/nii.*/, 'nii')).toSorted(), ['a/s/5_T1.nii', 'b/s/5_T1.nii']);
  });

  it('in which one is broken, one is empty and one is there twice is opened', async () => {
    const files = slices('s', { series: 5, description: 'T1' });
    const [first] = Object.values(files);
    await drop(
      folderOf('spoilt', {
        ...files,
        's/copy.dcm': first,
        's/empty.dcm': Buffer.alloc(0),
        's/DICOMDIR': Buffer.from('no such thing'),
        's/._001.dcm': Buffer.from('no'),
      }),
    );
    await opened(page, '5_T1.nii');
    assert.match(await page.locator('#file-facts').textContent(), /34 × 49 × 34/);
    assert.match(await said(), /DICOMDIR/);
  });

  it('without any image is refused in words', async () => {
    const [[, bytes]] = Object.entries(slices('s', { series: 5, description: 'T1' }));
    await drop(folderOf('report', { 'a.dcm': bytes.subarray(0, 600), 'b.dcm': bytes.subarray(0, 600) }));
    await state(page, 'error');
    assert.match(await wrong(), /report/);
    assert.equal(await page.locator('#dicom').isVisible(), false);
  });
});
