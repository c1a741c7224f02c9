/** What lies over the image and under the labels: a second volume, where both headers put it; the values below a label; brushes that keep to a label or to values. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { brightSpots } from './bright.mjs';
import { image, indexOf, look, looking, MARK, near, painted, SPACING, settle } from './look.mjs';
import { makeNifti } from './nifti.mjs';
import { choose, download, opened } from './page.mjs';

const { values } = image();

/** The middle of the pixels that are orange to yellow, in pixels of the page; and how many. */
async function warm(page) {
  const canvas = page.locator('#slices');
  const { x, y } = await canvas.boundingBox();
  const shot = (await canvas.screenshot()).toString('base64');
  const [u, v, count] = await page.evaluate(async (bytes) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      const [px, py] = [(i / 4) % bitmap.width, Math.floor(i / 4 / bitmap.width)];
      // Not the letters at the rim.
      const isRim = Math.min(px, py, bitmap.width - px, bitmap.height - py) < 30;
      if (!isRim && data[i] - data[i + 2] > 100) [px, py, 1].forEach((value, k) => (sum[k] += value));
    }
    return [sum[0] / sum[2], sum[1] / sum[2], sum[2]];
  }, shot);
  return { at: [x + u + 0.5, y + v + 0.5], count };
}

/** What was found, where it is what is wanted but for rounding. */
const closeTo = (wanted, found) => (Math.abs(found - wanted) <= 1e-9 * Math.abs(wanted) ? found : wanted);

/** Another grid, in which one voxel is bright: where the first mark is. */
function secondImage() {
  const [dims, spacing] = [
    [24, 24, 24],
    [2, 2, 2],
  ];
  const bright = [5, 12, 6];
  const world = MARK.map((at, i) => at * SPACING[i] - 15);
  const voxels = new Int16Array(dims[0] * dims[1] * dims[2]);
  voxels[bright[0] + dims[0] * (bright[1] + dims[1] * bright[2])] = 500;
  const affine = world.map((mm, row) => [0, 1, 2].map((axis) => (axis === row ? 2 : 0)).concat(mm - 2 * bright[row]));
  return makeNifti({ dims, affine, values: voxels, spacing });
}

describe('over and under the labels', () => {
  let page;
  let complaints;
  before(async () => ({ page, complaints } = await looking({ label: true })));
  after(() => page.close());

  const brush = async (kind, step) => {
    await page.locator(`#kinds button[value=${kind}]`).click();
    await page.locator('#size').fill(String(step));
  };
  const undo = () => page.locator('#undo').click();

  it('the values of each label are said, and follow the brush and undo', async () => {
    await look(page, 2);
    for (const id of ['#intensities', '#run-report']) await page.locator(`${id} summary`).click();
    const cells = async () => (await page.locator('#intensity-rows tr[data-index="3"] td').allTextContents()).map(Number);
    assert.ok((await cells()).every(Number.isNaN));
    await brush('brush', 7);
    await page.mouse.click(...(await brightSpots(page))[0].at);
    await page.waitForTimeout(500);
    const found = (await painted(page)).map((place) => values[indexOf(place)]);
    assert.ok(found.length > 10 && found.includes(1000));
    const mean = found.reduce((a, b) => a + b) / found.length;
    const sd = Math.sqrt(found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (found.length - 1));
    const wanted = [mean, sd, Math.min(...found), Math.max(...found)];
    (await cells()).forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) <= 5e-4 * wanted[i], `${value} is not ${wanted[i]}`));
    const report = JSON.parse((await download(page, 'Report (.json)')).bytes);
    const readInPage = async () => JSON.parse(await page.locator('#report').textContent());
    assert.ok(report.correctedVoxels > 0);
    assert.deepEqual(await readInPage(), report);
    assert.deepEqual(
      report.labels.find(({ index }) => index === 3).intensity,
      Object.fromEntries(['mean', 'sd', 'min', 'max'].map((name, i) => [name, closeTo(wanted[i], report.labels.at(-1).intensity[name])])),
    );
    await undo();
    await page.waitForTimeout(500);
    assert.ok((await cells()).every(Number.isNaN));
    assert.deepEqual(await readInPage(), JSON.parse((await download(page, 'Report (.json)')).bytes));
    await page.locator('#run-report summary').click();
  });

  it('a brush keeps to a range of values, and to the inside of a label, which P says', async () => {
    await look(page, 2);
    await brush('threshold', 9);
    await page.locator('#range-low').fill('900');
    await page.locator('#range-high').fill('1100');
    await page.locator('#range-high').press('Enter');
    const [{ at }] = await brightSpots(page);
    await page.mouse.click(...at);
    assert.deepEqual(await painted(page), [MARK]);
    await page.getByRole('button', { name: 'Add label' }).click();
    await brush('brush', 9);
    await page.locator('#slices').focus();
    const within = () => page.locator('#within').evaluate((list) => list.selectedOptions[0].textContent);
    for (let i = 0; i < 8 && !/inside Label 3/.test(await within()); i++) await page.keyboard.press('p');
    await page.mouse.click(...at);
    assert.deepEqual(await painted(page, 4), [MARK]);
    assert.deepEqual(await painted(page, 3), []);
    await page.locator('#slices').focus();
    for (let i = 0; i < 8 && (await within()) !== 'everywhere'; i++) await page.keyboard.press('p');
    await page.keyboard.press('Delete');
    await settle(page);
    assert.equal(await page.locator('#classes tr[data-index="4"]').count(), 0);
    assert.deepEqual(await painted(page, 4), []);
    assert.match(await page.locator('#where').textContent(), /mm/);
  });

  it('the label under the crosshair follows undo and redo', async () => {
    await look(page, 2);
    await page.locator('#classes tr[data-index="3"] input[type=radio]').check();
    await page.locator('#slices').focus();
    await page.keyboard.press('b');
    await page.keyboard.press('Space');
    const where = page.locator('#where', { hasText: 'Label 3' });
    await where.waitFor();
    await undo();
    await where.waitFor({ state: 'detached' });
    await page.locator('#redo').click();
    await where.waitFor();
    await undo();
  });

  it('a second volume lies where its header puts it, as strong as wanted, on or off, and goes with the image', async () => {
    await page.locator('#kinds button[value=look]').click();
    assert.equal(await page.locator('#second-field').isVisible(), false);
    await choose(page, { 'second.nii.gz': secondImage() });
    await opened(page, 'second.nii.gz');
    await page.locator('#cases button', { hasText: 'look.nii.gz' }).first().click();
    await page.locator('#file-name', { hasText: 'look.nii.gz' }).waitFor();
    await look(page, 2);
    await page.locator('#window-preset').selectOption({ label: 'Full range' });
    await page.waitForTimeout(500);
    assert.equal((await warm(page)).count, 0);
    await page.locator('#second').selectOption({ label: 'second.nii.gz' });
    await page.locator('#second-options').waitFor();
    await page.locator('#second-opacity').fill('1');
    await page.waitForTimeout(400);
    const seen = await warm(page);
    assert.ok(seen.count > 20, `${seen.count} pixels`);
    await page.locator('#slices').focus();
    await page.keyboard.press('y');
    await page.waitForTimeout(400);
    assert.equal((await warm(page)).count, 0);
    near(seen.at, (await brightSpots(page))[0].at, 6, 'the bright voxel of the second');
    assert.equal(await page.locator('#second-show').isChecked(), false);
    await page.keyboard.press('y');
    await page.locator('#cases button', { hasText: 'second.nii.gz' }).first().click();
    await page.locator('#file-name', { hasText: 'second.nii.gz' }).waitFor();
    assert.equal(await page.locator('#second').inputValue(), '');
    assert.equal(await page.locator('#second-options').isVisible(), false);
    assert.deepEqual(complaints, []);
  });
});
