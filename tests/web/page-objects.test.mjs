/** The page with a model of two objects: boxes, left beside right, and what was not found. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { servePage } from './browser.mjs';
import { cropped, readNifti } from './nifti.mjs';
import { DIMS, FAINT, imageFile, modelFiles, PLACES, scanModelFiles, sizeOf } from './objects.mjs';
import { assertAccessible, browser, choose, download, kept, opened, openPage, segmented, state } from './page.mjs';

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const maskNow = async (page) => readNifti((await download(page)).bytes).voxels;
const count = (mask, value) => mask.filter((one) => one === value).length;
const text = (page, selector) => page.locator(selector).textContent();
/** The whole field of view, in mm3: what the model takes for the inside of the skull. */
const skull = DIMS.reduce((a, b) => a * b);
const SKULL = `Intracranial volume: ${(skull / 1000).toPrecision(3)} mL`;
/** The rows of a table as texts of their cells. */
const rows = (page, selector) =>
  page.locator(`${selector} tr`).evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));

/** A server of the built page with another model in the place of its own. */
async function serveModel(files) {
  const assets = readdirSync(join(root, 'www/dist/assets'));
  const extra = Object.entries(files).map(([name, body]) => {
    const [stem, ending] = name.split('.');
    const built = assets.find((one) => one.startsWith(`${stem}-`) && one.endsWith(`.${ending}`));
    return [`/assets/${built}`, { type: 'application/octet-stream', body }];
  });
  return servePage({ extra: Object.fromEntries(extra) });
}

let two;
let blind;
let scans;
before(async () => {
  two = await serveModel(modelFiles());
  blind = await serveModel(modelFiles({ objects: ['left'], measured: [], isBlind: true }));
  scans = await serveModel(scanModelFiles());
});
after(async () => {
  await two?.close();
  await blind?.close();
  await scans?.close();
});

/** The page with the mask of an image. */
async function withMask(image, { query = '', server = two } = {}) {
  const opening = await openPage(`?backend=cpu${query}`, browser, server);
  await choose(opening.page, { 'body.nii.gz': image });
  await opened(opening.page, 'body.nii.gz');
  await segmented(opening.page);
  return opening;
}

/** What is drawn follows a frame later, and on a busy machine that takes its time. */
async function until(page, isSo) {
  for (let tries = 0; tries < 100; tries++) {
    if (await isSo()) return;
    await page.waitForTimeout(100);
  }
  assert.fail(`not so after 10 s: ${isSo}`);
}

/** Moves the crosshair in the axial slice. */
async function moveCrosshair(page, [right, up]) {
  await press(page, 'Axial');
  await page.locator('#slices').focus();
  for (let i = 0; i < Math.abs(right); i++) await page.keyboard.press(right > 0 ? 'ArrowRight' : 'ArrowLeft');
  for (let i = 0; i < Math.abs(up); i++) await page.keyboard.press(up > 0 ? 'ArrowUp' : 'ArrowDown');
}

describe('the mask of two objects', () => {
  it('is gone to, and shown with left beside right and as a share of what is inside the skull', async () => {
    const { page, complaints } = await withMask(imageFile());
    assert.match(await text(page, '#where'), /Left front$/);
    const [left, right] = ['left', 'right'].map(sizeOf);
    const volume = (size) => `${(size / 1000).toPrecision(3)} mL ${((1000 * size) / skull).toPrecision(3)} ‰`;
    const percent = ((200 * (left - right)) / (left + right)).toFixed(1);
    assert.deepEqual(await rows(page, '#pair-rows'), [
      ['Front', volume(left), volume(right), `left ${percent} % larger`],
      ['Back', '0.00 mL 0.00 ‰', '0.00 mL 0.00 ‰', '–'],
      ['Together', volume(left), volume(right), `left ${percent} % larger`],
    ]);
    assert.equal(await text(page, '#intracranial-words'), SKULL);
    assert.match(
      await page.locator('#intracranial-words').getAttribute('title'),
      /^Everything inside the skull, cerebrospinal fluid included/,
    );
    assert.equal((await rows(page, '#classes'))[0].at(-1), volume(left));
    const csv = (await download(page, 'Volumes (.csv)')).bytes.toString().split('\n');
    assert.equal(csv[0], 'index,name,voxels,milliliters,intracranial_milliliters,permille_of_intracranial');
    assert.equal(
      csv[1],
      `1,"Left front",${left},${(left / 1000).toFixed(4)},${(skull / 1000).toFixed(4)},${((1000 * left) / skull).toFixed(6)}`,
    );
    const report = JSON.parse((await download(page, 'Report (.json)')).bytes);
    assert.deepEqual(
      report.boxes.map(({ object, side }) => [object, side]),
      [
        ['left', 'left'],
        ['right', 'right'],
      ],
    );
    assert.ok(Math.abs(report.intracranial_ml - skull / 1000) < 1e-6, report.intracranial_ml);
    assert.equal(await page.locator('#missing').isVisible(), false);

    // It follows the names that a person gives, and the brush.
    const name = page.locator('#classes tr:nth-child(3) .name');
    await name.fill('Other side');
    await name.press('Enter');
    assert.deepEqual(
      (await rows(page, '#pair-rows')).map(([first]) => first),
      ['Back'],
    );
    await press(page, 'Undo');
    await page.locator('#slices').focus();
    for (const key of ['e', 'Space']) await page.keyboard.press(key);
    await until(page, async () => (await rows(page, '#pair-rows'))[0][1] !== volume(left));
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('has a box for each, in its colour, to be typed, dragged and run by itself: all else stays, and undo covers it', async () => {
    const { page, complaints } = await withMask(imageFile());
    const first = await maskNow(page);
    // A hand correction of the other object: a hole in its middle.
    await moveCrosshair(page, [33, 0]);
    assert.match(await text(page, '#where'), /Right front$/);
    for (const key of ['e', 'Space', 'v']) await page.keyboard.press(key);
    const corrected = await maskNow(page);
    assert.ok(count(corrected, 3) < count(first, 3));

    await page.locator('#box summary').click();
    const strokes = () =>
      page.locator('#overlay .box').evaluateAll((all) => [...new Set(all.map((rect) => getComputedStyle(rect).stroke))]);
    await until(page, async () => (await strokes()).length > 0);
    assert.deepEqual(await strokes(), ['rgb(230, 159, 0)', 'rgb(0, 158, 115)']);
    const field = (name) => page.getByLabel(name, { exact: true });
    const values = () => page.locator('#box-fields input').evaluateAll((all) => all.map(({ value }) => Number(value)));
    const left = await values();
    await press(page, 'right');
    const right = await values();
    assert.ok(left[1] <= right[0], `${left} and ${right}`);

    await press(page, 'left');
    assert.deepEqual(await values(), left);
    const top = PLACES.left.start[2] + 5;
    await field('S to').fill(String(top));
    await field('S to').press('Tab');
    await press(page, 'Segment again in this box');
    await state(page, 'done', 'error');
    assert.equal(await text(page, '#error'), '');
    // The crosshair was on the other one.
    await until(page, async () => /Left front$/.test(await text(page, '#where')));
    const cut = await maskNow(page);
    cut.forEach((value, i) => {
      const z = Math.floor(i / DIMS[0] / DIMS[1]);
      const expected = [1, 2].includes(corrected[i]) && z >= top ? 0 : corrected[i];
      if (value !== expected) assert.fail(`${value} for ${expected} at voxel ${i}`);
    });
    assert.ok(count(cut, 1) < count(first, 1));
    assert.match(await text(page, '#warnings'), /left object touches the border of its box/);
    assert.equal(await text(page, '#intracranial-words'), SKULL);
    const report = JSON.parse((await download(page, 'Report (.json)')).bytes);
    assert.match(report.warnings.join(' '), /left object touches the border of its box/);
    assert.deepEqual(
      report.boxes.map(({ object, end }) => [object, end[2]]),
      [
        ['left', top],
        ['right', right[5]],
      ],
    );
    await press(page, 'right');
    assert.deepEqual(await values(), right);

    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), corrected);
    assert.equal(await page.locator('#warnings', { hasText: 'touches' }).count(), 0);
    assert.doesNotMatch(JSON.parse((await download(page, 'Report (.json)')).bytes).warnings.join(' '), /touches/);
    await press(page, 'left');
    assert.equal((await values())[5], top, 'the box that was typed is there again');
    await press(page, 'Redo');
    assert.deepEqual(await maskNow(page), cut);
    await press(page, 'Undo');
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), first);

    // A side of the other box, dragged with the pointer: that box is the chosen one then.
    await press(page, 'Axial');
    await until(page, async () => (await page.locator('#overlay g > g').count()) === 2); // a slice, two boxes
    const group = page.locator('#overlay g > g').last();
    const side = await group
      .locator('.side.across')
      .last()
      .evaluate((line) => ['x1', 'y1', 'y2'].map((name) => Number(line.getAttribute(name))));
    const { x, y } = await page.locator('#overlay').boundingBox();
    const at = [x + side[0], y + (side[1] + side[2]) / 2];
    await page.mouse.move(...at);
    await page.mouse.down();
    await page.mouse.move(at[0] - 60, at[1], { steps: 5 });
    await page.mouse.up();
    assert.equal(await page.locator('#box-objects [aria-pressed=true]').textContent(), 'right');
    const dragged = await values();
    assert.ok(dragged[1] < right[1], `${dragged} and ${right}`);
    await press(page, 'As the model chose it');
    assert.deepEqual(await values(), right);
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

describe('after a run that is in doubt', () => {
  const IMAGE = imageFile(['left', 'right'], { left: FAINT, right: 100 });
  for (const [where, viewport] of [
    ['at a desk', { width: 1280, height: 720 }],
    ['on a phone', { width: 390, height: 844 }],
  ]) {
    it(`the warnings are in sight ${where}, under the heading and before the volumes`, async () => {
      const { page } = await openPage('?backend=cpu', browser, two);
      await page.setViewportSize(viewport);
      await choose(page, { 'body.nii.gz': IMAGE });
      await opened(page, 'body.nii.gz');
      await segmented(page);
      // Nothing lies over the middle of either.
      const isSeen = (selector) =>
        page.locator(selector).evaluate((one) => {
          const { left, top, width, height } = one.getBoundingClientRect();
          return one.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        });
      for (const selector of ['#h-result', '#warnings li:first-child']) await until(page, () => isSeen(selector));
      assert.equal(await page.locator('#h-result + #warnings').count(), 1);
      await page.close();
    });
  }
});

describe('an object that was not found', () => {
  it('is segmented in a box of the usual size at the crosshair, and the other one stays', async () => {
    const { page, complaints } = await withMask(imageFile(['left', 'right'], { left: FAINT, right: 100 }));
    assert.match(await text(page, '#warnings'), /no left object/);
    assert.match(await text(page, '#where'), /Right front$/);
    const first = await maskNow(page);
    assert.deepEqual([count(first, 1), count(first, 3)], [0, sizeOf('right')]);
    await moveCrosshair(page, [-33, 0]);
    await press(page, 'Put the box of left at the crosshair');
    await state(page, 'done', 'error');
    assert.equal(await text(page, '#error'), '');
    const mask = await maskNow(page);
    assert.deepEqual([count(mask, 1), count(mask, 3)], [sizeOf('left'), sizeOf('right')]);
    assert.doesNotMatch(await text(page, '#warnings'), /no left object/);
    assert.equal(await page.locator('#missing').isVisible(), false);
    const { boxes } = JSON.parse(await text(page, '#report'));
    assert.deepEqual(
      boxes[0].end.map((end, axis) => end - boxes[0].start[axis]),
      [20, 24, 20],
    );
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), first);
    assert.equal(await page.locator('#missing').isVisible(), true);

    // It is there again after a reload, and so is what is known of the skull.
    await press(page, 'Redo');
    await kept(page);
    await page.reload();
    await state(page, 'done', 'error');
    assert.deepEqual(await maskNow(page), mask);
    await until(page, async () => /Left front$/.test(await text(page, '#where')));
    assert.equal(await text(page, '#intracranial-words'), SKULL);
    await page.locator('#box summary').click();
    assert.deepEqual(await page.locator('#box-objects button').allTextContents(), ['left', 'right']);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('is asked for without a name where the model has one object', async () => {
    const { page } = await withMask(imageFile(['right'], { right: 100 }, 499), { server: blind });
    assert.equal(await page.locator('#pairs').isVisible(), false);
    assert.equal(await page.locator('#intracranial').isVisible(), false);
    const place = DIMS.map((n) => n >> 1);
    await press(page, 'Put the box at the crosshair');
    await state(page, 'done', 'error');
    assert.equal(await text(page, '#error'), '');
    const { boxes } = JSON.parse(await text(page, '#report'));
    assert.equal(boxes.length, 1);
    const { start, end } = boxes[0];
    assert.deepEqual(
      end.map((at, axis) => at - start[axis]),
      [20, 24, 20],
    );
    assert.ok(
      place.every((at, axis) => Math.abs(at + 0.5 - (start[axis] + end[axis]) / 2) <= 0.5),
      JSON.stringify(boxes),
    );
    assert.equal(await page.locator('#box-objects').isVisible(), false);
    await page.close();
  });
});

describe('a model of one object that takes whole scans too', () => {
  const server = () => scans;
  const table = (page) => page.locator('#classes .name').evaluateAll((all) => all.map(({ value }) => value));

  it('shows both objects of a scan, and puts a box of the usual size of images of one where one was not found', async () => {
    const { page, complaints } = await withMask(imageFile(['left', 'right'], { left: FAINT, right: 100 }), { server: server() });
    assert.match(await text(page, '#fit'), /a part; or a whole body/);
    assert.deepEqual(await table(page), ['Left front', 'Left back', 'Right front', 'Right back']);
    assert.equal(await text(page, '#intracranial-words'), SKULL);
    await moveCrosshair(page, [-33, 0]);
    await press(page, 'Put the box of left at the crosshair');
    await state(page, 'done', 'error');
    assert.equal(await text(page, '#error'), '');
    const mask = await maskNow(page);
    assert.deepEqual([count(mask, 1), count(mask, 3)], [sizeOf('left'), sizeOf('right')]);
    assert.equal((await rows(page, '#pair-rows')).length, 3);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('knows one object of an image of one, and keeps its side in a box of one’s own', async () => {
    const { page, complaints } = await withMask(cropped(imageFile(), [1, 7, 2], 25), { server: server() });
    assert.deepEqual(await table(page), ['Left front', 'Left back']);
    for (const id of ['#missing', '#pairs', '#intracranial']) assert.equal(await page.locator(id).isVisible(), false, id);
    const first = await maskNow(page);
    assert.equal(count(first, 1), sizeOf('left'));
    await page.locator('#box summary').click();
    assert.equal(await page.locator('#box-objects').isVisible(), false);
    await press(page, 'Segment again in this box');
    await state(page, 'done', 'error');
    assert.equal(await text(page, '#error'), '');
    assert.deepEqual(await maskNow(page), first);
    const { boxes } = JSON.parse(await text(page, '#report'));
    assert.deepEqual(
      boxes.map(({ object, side }) => [object, side]),
      [['left', 'left']],
    );
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

describe('for everybody', () => {
  for (const [scheme, query, words] of [
    ['light', '', /Put the box of left at the crosshair/],
    ['dark', '&lang=de', /Kasten „links“ ans Fadenkreuz setzen/],
  ]) {
    it(`axe-core finds no violation, and the keyboard reaches all of it, ${scheme}`, async () => {
      const { page } = await withMask(imageFile(['left', 'right'], { left: FAINT, right: 100 }), { query });
      assert.match(await text(page, '#missing'), words);
      await page.locator('#pair-rows').waitFor();
      await page.locator('#box summary').focus();
      await page.keyboard.press('Enter');
      const ids = new Set();
      for (let i = 0; i < 120; i++) {
        await page.keyboard.press('Tab');
        const found = await page.evaluate(() => document.activeElement.id || document.activeElement.parentElement?.id);
        ids.add(found);
        if (found === 'download') break;
      }
      for (const id of ['box-objects', 'intracranial-words', 'missing-buttons', 'box-run'])
        assert.ok(ids.has(id), `${id}: ${[...ids].join(' ')}`);
      await assertAccessible(page, scheme);
      await page.close();
    });
  }
});
