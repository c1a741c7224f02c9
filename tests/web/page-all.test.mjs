/** Many volumes: all segmented by one press, their volumes in one table, their files in one zip. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { asFlipped, readNifti } from './nifti.mjs';
import { assertAccessible, choose, download, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
/** The same header over voxels of one value, in which nothing can be seen. */
const flat = (() => {
  const bytes = gunzipSync(sample);
  return gzipSync(Buffer.concat([bytes.subarray(0, 352), Buffer.alloc(bytes.length - 352)]));
})();

describe('several volumes', () => {
  let page;
  let complaints;
  before(async () => {
    ({ page, complaints } = await openPage('?backend=cpu'));
    await choose(page, { 'a.nii.gz': sample, 'b.nii.gz': flat, 'c.nii.gz': asFlipped(sample) });
    await opened(page, 'a.nii.gz');
  });
  after(() => page.close());

  it('are segmented by one press; one that cannot be is named, and the others are done', async () => {
    assert.match(await page.locator('#segment-all').textContent(), /Segment all \(3\)/);
    await page.locator('#segment-all').click();
    await page.locator('#all-progress', { hasText: 'Volume 1 of 3' }).waitFor();
    await page.locator('#error', { hasText: 'Not segmented: 1.' }).waitFor({ timeout: 120_000 });
    assert.match(await page.locator('#error').textContent(), /b\.nii\.gz: image: found one grey value in all voxels/);
    assert.equal(await page.locator('#all-progress').textContent(), '');
    assert.deepEqual(await page.locator('#cases li .quiet').allTextContents(), ['segmented', 'open', 'segmented']);
  });

  it('stand in one table with mean and standard deviation, and in one CSV with the names of their files', async () => {
    const cells = async (rows) => {
      const found = [];
      for (const row of await page.locator(rows).all()) found.push(await row.locator('th, td').allTextContents());
      return found;
    };
    const [a, c] = await cells('#all-rows tr');
    const [mean, sd] = await cells('#all-foot tr');
    assert.deepEqual([a[0], c[0], mean[0], sd[0]], ['a.nii.gz', 'c.nii.gz', 'Mean', 'Standard deviation']);
    // The same image twice, once in other axes.
    assert.deepEqual(a.slice(1), c.slice(1));
    // Whether a volume is in doubt stands before its numbers.
    assert.equal((await cells('#all-head'))[0][1], 'Warnings');
    assert.deepEqual([a[1], mean[1], sd[1]], ['–', '', '']);
    assert.deepEqual(mean.slice(2), a.slice(2));
    assert.deepEqual(sd.slice(2), ['0.000', '0.000']);
    // All in the unit of the heading, with the same number of decimals.
    for (const row of [a, c, mean]) assert.match(row[2], /^\d+\.\d{3}$/);
    const gaps = await page.locator('#all-head th').evaluateAll((all) => {
      const boxes = all.map((one) => {
        const text = document.createRange();
        text.selectNodeContents(one);
        return text.getBoundingClientRect();
      });
      return boxes.slice(1).map(({ left }, i) => left - boxes[i].right);
    });
    assert.ok(Math.min(...gaps) >= 6, `${gaps} pixels between the column heads`);
    const overflows = await page.locator('#all .scroll').evaluate((box) => box.scrollWidth - box.clientWidth);
    assert.equal(overflows, 0);
    const { name, bytes } = await download(page, 'Table of all (.csv)');
    assert.equal(name, 'volumes.csv');
    const lines = bytes.toString().trimEnd().split('\n');
    assert.equal(lines[0], 'file,index,name,voxels,milliliters');
    assert.deepEqual(
      lines.slice(1).map((line) => line.split(',').slice(0, 2)),
      [
        ['"a.nii.gz"', '1'],
        ['"a.nii.gz"', '2'],
        ['"c.nii.gz"', '1'],
        ['"c.nii.gz"', '2'],
      ],
    );
  });

  it('have the volumes of labels of one name added up', async () => {
    await page.locator('#cases li > button:first-child', { hasText: 'a.nii.gz' }).click();
    await state(page, 'done');
    const names = page.locator('#classes .name');
    const [front, back] = await names.evaluateAll((all) => all.map(({ value }) => value));
    const cells = page.locator('#all-rows tr:first-child td.volume');
    const [first, second] = (await cells.allTextContents()).map(parseFloat);
    await names.nth(1).fill(front);
    await names.nth(1).press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('#all-rows tr:first-child td.volume')[1]?.textContent === '–');
    const [sum] = (await cells.allTextContents()).map(parseFloat);
    assert.ok(Math.abs(sum - first - second) < 0.011, `${first} and ${second} made ${sum}`);
    await names.nth(1).fill(back);
    await names.nth(1).press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('#all-rows tr:first-child td.volume')[1]?.textContent !== '–');
  });

  it('are saved as one zip, a folder each', async () => {
    const { bytes } = await download(page, 'Files of all volumes (.zip)');
    const files = unzipSync(bytes);
    const names = Object.keys(files);
    assert.ok(names.includes('volumes.csv') && names.includes('a/a_mask.nii.gz') && names.includes('c/c_report.json'), names.join(' '));
    assert.ok(!names.some((name) => name.startsWith('b/')));
    assert.deepEqual(readNifti(Buffer.from(files['a/a_mask.nii.gz'])).dims, readNifti(sample).dims);
    assert.equal(JSON.parse(Buffer.from(files['c/c_report.json'])).input.name, 'c.nii.gz');
  });

  it('are left where the run is cancelled', async () => {
    // The head, of which a run takes seconds.
    await page.locator('#sample-head').click();
    await opened(page, 'Sample head');
    assert.match(await page.locator('#segment-all').textContent(), /\(2\)/);
    await page.locator('#segment-all').click();
    await page.locator('#all-progress', { hasText: 'Volume 2 of 2' }).waitFor();
    await page.locator('#cancel').click();
    await state(page, 'ready', 'done', 'error');
    await page.waitForTimeout(300);
    assert.equal(await page.locator('#all-progress').textContent(), '');
    assert.match(await page.locator('#segment-all').textContent(), /Segment all/);
    assert.match(await page.locator('#said').textContent(), /^Cancelled\. Segmented volumes: \d; without a mask: \d\.$/);
    assert.deepEqual(complaints, []);
  });

  it('have the volume inside the skull where it is known, and as many columns where it is not', async () => {
    await page.locator('#cases li > button:first-child', { hasText: 'Sample head' }).click();
    await page.locator('#file-name', { hasText: 'Sample head' }).waitFor();
    await state(page, 'ready', 'done');
    await segmented(page);
    const lines = (await download(page, 'Table of all (.csv)')).bytes.toString().trimEnd().split('\n');
    const columns = lines.map((line) => line.split(',').length);
    assert.deepEqual([...new Set(columns)], [7], lines.join('\n'));
    assert.match(lines[0], /,milliliters,intracranial_milliliters,permille_of_intracranial$/);
    assert.match(
      lines.find((line) => line.startsWith('"a.nii.gz"')),
      /,,$/,
    );
    const skull = (row) => page.locator(`#all-rows tr:nth-child(${row}) td:last-child`).textContent();
    assert.equal(await skull(1), '–');
    const rows = await page.locator('#all-rows tr').count();
    assert.equal(Number(lines.at(-1).split(',').at(-2)).toFixed(3), (await skull(rows)).replace(',', ''));
    assert.equal(await page.locator('#all-head th').last().textContent(), 'Intracranial');
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`leave no violation that axe-core finds, ${colorScheme}`, () => assertAccessible(page, colorScheme));
  }
});
