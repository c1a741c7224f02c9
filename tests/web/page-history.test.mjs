/** Undo in the page where it was wrong once: under the pen, while a run ends, after the run was undone, on a locked label. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readNifti } from './nifti.mjs';
import { browser, choose, download, opened, openPage, SAMPLE, segment, segmented, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const maskNow = async (page) => [...readNifti((await download(page)).bytes).voxels];

async function withMask() {
  const context = await browser.newContext();
  const opening = await openPage('?backend=cpu', context);
  const { page } = opening;
  await choose(page, { 'patient-9.nii.gz': sample });
  await opened(page, 'patient-9.nii.gz');
  await segmented(page);
  await press(page, 'Axial');
  const { x, y, width, height } = await page.locator('#slices').boundingBox();
  const at = (u, v) => [x + u * width, y + v * height];
  return { ...opening, context, at };
}

/** Volumes are the saved mask's counts, and whatever it holds is listed. */
async function assertConsistent(page) {
  const counts = new Map();
  for (const value of await maskNow(page)) counts.set(value, (counts.get(value) ?? 0) + 1);
  const rows = await page
    .locator('#classes tr')
    .evaluateAll((all) => all.map((row) => [Number(row.dataset.index), Number(row.querySelector('.volume').title.replace(/\D/g, ''))]));
  const listed = new Map(rows);
  for (const [value, count] of counts) if (value > 0) assert.equal(listed.get(value), count, `voxels of label ${value}`);
  for (const [value, count] of listed) assert.equal(counts.get(value) ?? 0, count, `volume of label ${value}`);
}

describe('undo in the page', () => {
  it('takes back the stroke under the pen, and what the pen goes on to do', async () => {
    const { page, context, complaints, at } = await withMask();
    const first = await maskNow(page);
    await press(page, 'Brush');
    await page.mouse.move(...at(0.4, 0.3));
    await page.mouse.down();
    await page.mouse.move(...at(0.55, 0.3), { steps: 4 });
    await page.keyboard.press('Control+z');
    await page.mouse.move(...at(0.7, 0.3), { steps: 4 });
    await page.mouse.up();
    assert.deepEqual(await maskNow(page), first);
    await assertConsistent(page);
    await press(page, 'Redo');
    assert.notDeepEqual(await maskNow(page), first);
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), first);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('keeps the two apart where a run ends during a stroke', async () => {
    const { page, context, complaints, at } = await withMask();
    const first = await maskNow(page);
    await press(page, 'Brush');
    await segment(page);
    await page.mouse.move(...at(0.4, 0.3));
    await page.mouse.down();
    await page.mouse.move(...at(0.5, 0.3), { steps: 4 });
    await state(page, 'done', 'error');
    await page.mouse.move(...at(0.65, 0.3), { steps: 4 });
    await page.mouse.up();
    await assertConsistent(page);
    const last = await maskNow(page);
    const names = [];
    while (await page.locator('#undo').isEnabled()) {
      names.push((await page.locator('#undo').getAttribute('title')).replace(/^.*: /, ''));
      await press(page, 'Undo');
      await assertConsistent(page);
      if (names.length === 3) assert.deepEqual(await maskNow(page), first);
    }
    assert.deepEqual(names, ['stroke', 'segmentation', 'stroke', 'segmentation']);
    for (const _ of names) await press(page, 'Redo');
    assert.deepEqual(await maskNow(page), last);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('of the run leaves a brush that paints a label with a row of its own', async () => {
    const { page, context, complaints, at } = await withMask();
    await press(page, 'Undo');
    assert.equal(await page.locator('#classes tr').count(), 0);
    await press(page, 'Brush');
    await page.mouse.move(...at(0.4, 0.4));
    await page.mouse.down();
    await page.mouse.move(...at(0.6, 0.4), { steps: 4 });
    await page.mouse.up();
    assert.ok((await maskNow(page)).some((value) => value > 0));
    assert.equal(await page.locator('#classes tr').count(), 1);
    assert.equal(await page.locator('#classes input[type=checkbox]').first().isChecked(), true);
    await assertConsistent(page);
    await press(page, 'Undo');
    assert.equal(await page.locator('#classes tr').count(), 0);
    await segmented(page);
    await assertConsistent(page);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('brings a deleted label back, with its name under the crosshair', async () => {
    const { page, context, complaints } = await withMask();
    const first = await maskNow(page);
    const where = page.locator('#where');
    const name = await page.locator('#classes tr:first-child .name').inputValue();
    await press(page, 'Brush');
    await page.locator('#within').selectOption({ label: `only inside ${name}` });
    await press(page, 'Delete label');
    assert.ok(!(await maskNow(page)).includes(1));
    await assertConsistent(page);
    assert.equal(await page.locator('#within').inputValue(), '');
    await press(page, 'Undo');
    await page.locator('#said', { hasText: 'Undone: deletion of a label.' }).waitFor();
    assert.deepEqual(await maskNow(page), first);
    assert.equal(await page.locator('#classes tr:first-child .name').inputValue(), name);

    // What is painted at the crosshair, and taken back, is said of it at once.
    await press(page, 'Add label');
    await page.locator('#slices').focus();
    const before = await where.textContent();
    await page.keyboard.press(' ');
    await page.waitForFunction((text) => document.querySelector('#where').textContent !== text, before);
    await page.keyboard.press('Control+z');
    await page.waitForFunction((text) => document.querySelector('#where').textContent === text, before);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('of a name neither unlocks nor shows', async () => {
    const { page, context, complaints } = await withMask();
    const name = page.locator('#classes tr:first-child .name');
    const before = await name.inputValue();
    await name.fill('Head');
    await name.press('Enter');
    const box = (nth) => page.locator('#classes tr:first-child input[type=checkbox]').nth(nth);
    await box(0).click();
    await box(1).click();
    await press(page, 'Undo');
    assert.equal(await name.inputValue(), before);
    assert.deepEqual([await box(0).isChecked(), await box(1).isChecked()], [false, true]);
    await assertConsistent(page);
    assert.deepEqual(complaints, []);
    await context.close();
  });
});
