/** The whole flow by keyboard alone, and what axe-core says of every state of the page, in both schemes and languages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readNifti } from './nifti.mjs';
import { assertAccessible, choose, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

/** Tabs to an element; fails where it is not on the way round the page. */
async function tabTo(page, selector) {
  for (let i = 0; i < 140; i++) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${selector} cannot be reached with Tab`);
}

const focusedIsVisible = (page) =>
  page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(
      document.activeElement.matches('.swatch input') ? document.activeElement.parentElement : document.activeElement,
    );
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  });

async function press(page, selector, key = 'Enter') {
  await tabTo(page, selector);
  assert.ok(await focusedIsVisible(page), `the focus on ${selector} cannot be seen`);
  await page.keyboard.press(key);
}

async function saved(page, selector) {
  const [file] = await Promise.all([page.waitForEvent('download'), press(page, selector)]);
  return readFileSync(await file.path());
}

describe('the keyboard alone', () => {
  it('opens, segments, corrects, undoes, names, locks, changes the box and exports', async () => {
    const { page } = await openPage('?backend=cpu');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press(page, '#open')]);
    await chooser.setFiles([{ name: 'keys.nii.gz', mimeType: 'application/gzip', buffer: readFileSync(SAMPLE) }]);
    await opened(page, 'keys.nii.gz');
    await press(page, '#segment');
    await state(page, 'done', 'error');
    const first = readNifti(await saved(page, '#download')).voxels;

    await tabTo(page, '#slices');
    await page.keyboard.press('2');
    for (const key of ['b', ']', ']', 'x', 'l', 'Space', 'Shift+ArrowLeft', 'PageUp', 'ArrowUp', 'Space']) await page.keyboard.press(key);
    await page.waitForTimeout(200);
    const painted = readNifti(await saved(page, '#download')).voxels;
    assert.notDeepEqual(painted, first);
    await tabTo(page, '#slices');
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('Control+z');
      await page.waitForTimeout(80);
    }
    assert.deepEqual(readNifti(await saved(page, '#download')).voxels, first);
    await press(page, '#redo');
    await tabTo(page, '#slices');
    for (const key of ['o', 'h', 'h', 'o', '1', '0', 'v']) await page.keyboard.press(key);

    await tabTo(page, '#classes tr:first-child .name');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Front part');
    await page.keyboard.press('Tab');
    assert.equal(await page.locator('#classes tr:first-child .name').inputValue(), 'Front part');
    await press(page, '#classes tr:first-child td:nth-child(3) input', 'Space');
    assert.equal(await page.locator('#classes tr:first-child td:nth-child(3) input').isChecked(), true);
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Lock Front part');
    for (const id of ['#smooth', '#largest', '#between']) await press(page, id);
    // What was done in the panel is undone there too, and in a field its own typing.
    const rows = await page.locator('#classes tr').count();
    await press(page, '#delete-label');
    assert.equal(await page.locator('#classes tr').count(), rows - 1);
    await page.keyboard.press('Control+z');
    await page.locator('#said', { hasText: 'Undone: deletion of a label' }).waitFor();
    assert.equal(await page.locator('#classes tr').count(), rows);
    await press(page, '#box summary');
    await press(page, '#box-fields input', 'ArrowUp');
    await press(page, '#box-run');
    await state(page, 'done', 'error');
    const zip = await saved(page, '#download-zip');
    assert.ok(zip.length > 10_000);
    await page.close();
  });
});

describe('axe-core finds no violation', () => {
  for (const colorScheme of ['light', 'dark']) {
    it(`with everything open: several volumes, tools, a new label, a box, an error, ${colorScheme}`, async () => {
      const { page } = await openPage(`?backend=cpu${colorScheme === 'dark' ? '&lang=de' : ''}`);
      const sample = readFileSync(SAMPLE);
      await choose(page, { 'a.nii.gz': sample, 'b.nii.gz': sample, 'c.hdr': Buffer.from('x') });
      await opened(page, 'a.nii.gz');
      await segmented(page).catch(() => {});
      await page.locator('#add-label').click();
      await page.locator('#kinds button[value=threshold]').click();
      await page.locator('#undo').hover();
      await assertAccessible(page, colorScheme);
      await page.close();
    });
  }
});
