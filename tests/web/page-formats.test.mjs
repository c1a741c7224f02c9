/** NRRD images, files of several volumes and single DICOM slices in the page: opened as what they are, or named as it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { dicomSeries } from './dicom.mjs';
import { asFourDimensional, readNifti } from './nifti.mjs';
import { assertAccessible, choose, download, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const sample = readFileSync(SAMPLE);

/** The voxels of a NIfTI file as NRRD, LPS. @param {{ more?: string }} [options] */
function asNrrd(file, { more = '' } = {}) {
  const { dims, sform, datatype, voxels } = readNifti(file);
  const lps = ([x, y, z]) => `(${-x},${-y},${z})`;
  const column = (axis) => lps(sform.map((row) => row[axis]));
  const header = `NRRD0004
type: ${{ 2: 'unsigned char', 4: 'short', 16: 'float', 512: 'unsigned short' }[datatype]}
dimension: 3
space: left-posterior-superior
sizes: ${dims.join(' ')}
space directions: ${[0, 1, 2].map(column).join(' ')}
kinds: domain domain domain
endian: little
encoding: gzip
space origin: ${column(3)}
${more && `${more}\n`}
`;
  return Buffer.concat([Buffer.from(header), gzipSync(voxels)]);
}

describe('what is no NIfTI of one volume', () => {
  let page;
  let complaints;
  let expected;
  before(async () => {
    ({ page, complaints } = await openPage('?backend=cpu'));
    page.setDefaultTimeout(60_000);
    await choose(page, { 'plain.nii.gz': sample });
    await opened(page, 'plain.nii.gz');
    await segmented(page);
    expected = readNifti((await download(page)).bytes);
  });
  after(() => page.close());
  const facts = () => page.locator('#file-facts').textContent();
  const wrong = () => page.locator('#error').textContent();

  it('an NRRD image gives the mask of its NIfTI, and its report says what it was', async () => {
    await choose(page, { 'patient.nrrd': asNrrd(sample) });
    await opened(page, 'patient.nrrd');
    assert.match(await facts(), /34 × 49 × 34 voxels, 1 × 1 × 1 mm, RAS/);
    await segmented(page);
    const { name, bytes } = await download(page);
    assert.equal(name, 'patient_mask.nii.gz');
    assert.deepEqual(readNifti(bytes).sform, expected.sform);
    assert.deepEqual(readNifti(bytes).voxels, expected.voxels);
    const report = JSON.parse((await download(page, 'Report (.json)')).bytes);
    assert.deepEqual([report.converted.from, report.input.name], ['NRRD', 'patient.nrrd']);
  });

  it('a label map in NRRD that comes the same way is laid over the open image', async () => {
    const { bytes } = await download(page);
    await choose(page, { 'labels.nrrd': asNrrd(bytes) });
    await page.locator('#said', { hasText: 'Imported: labels.nrrd' }).waitFor();
    assert.match(await page.locator('#file-name').textContent(), /patient\.nrrd/);
  });

  it('an NRRD that cannot be read is refused by its field', async () => {
    for (const [more, said] of [
      ['data file: far.raw', /far\.nrrd: data file: found far\.raw, expected voxels in the same file: save the image as NIfTI/],
      ['space units: "in" "in" "in"', /far\.nrrd: space units: found "in", expected mm/],
    ]) {
      await choose(page, { 'far.nrrd': asNrrd(sample, { more }) });
      await state(page, 'error');
      assert.match(await wrong(), said);
    }
  });

  it('of several volumes one is chosen, and then another, each opened by its number', async () => {
    const four = gunzipSync(asFourDimensional(sample));
    // The second is turned round, so that it can be told from the first.
    const half = (four.length - 352) / 2;
    const { voxels } = readNifti(sample);
    const width = voxels.length / (34 * 49 * 34);
    for (let i = 0; i < half; i += width) voxels.copy(four, 352 + half + i, half - i - width, half - i);
    await choose(page, { 'series.nii.gz': gzipSync(four) });
    await page.locator('#several-said', { hasText: 'series.nii.gz holds 2 volumes' }).waitFor();
    assert.equal(await wrong(), '');
    assert.equal(await page.locator('#several-file').isVisible(), false);
    assert.match(await page.locator('#file-name').textContent(), /patient\.nrrd/);
    for (const colorScheme of ['light', 'dark']) await assertAccessible(page, colorScheme);
    await page.setViewportSize({ width: 1280, height: 720 });
    const seen = [];
    for (const at of [1, 2]) {
      await page.locator('#several-at').fill(String(at));
      await page.locator('#several-open').click();
      await opened(page, `series.nii.gz #${at}`);
      assert.match(await facts(), /34 × 49 × 34 voxels/);
      seen.push(await page.locator('#where').textContent());
    }
    assert.notEqual(seen[0], seen[1]);
    await page.locator('#cases button', { hasText: 'series.nii.gz #1' }).first().click();
    await opened(page, 'series.nii.gz #1');
    await segmented(page);
    const { name, bytes } = await download(page);
    assert.equal(name, 'series_volume-1_mask.nii.gz');
    assert.deepEqual(readNifti(bytes).voxels, expected.voxels);
  });

  it('a single DICOM slice is named as one, beside its series and where it is open', async () => {
    const slices = dicomSeries(sample, { series: 3, description: 'one', slices: 1 });
    await choose(page, { ...slices, ...dicomSeries(sample, { series: 4, description: 'all' }) });
    await page.locator('#dicom-pick').waitFor();
    const series = await page.locator('#dicom-series option').allTextContents();
    assert.deepEqual(
      series.map((one) => /one slice/.test(one)),
      [false, true],
    );
    await choose(page, slices);
    await page.locator('#file-notes li', { hasText: 'one slice and no volume: open the whole folder' }).waitFor();
    assert.deepEqual(complaints, []);
  });
});
