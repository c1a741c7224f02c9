/**
 * Strokes through the real page on an oblique, anisotropic volume whose file runs along other axes than the slices. Single
 * bright voxels are found by their pixels in a screenshot, painted with the pointer, and looked for in the saved mask: nothing
 * of the page's own geometry is asked.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { brightest } from './bright.mjs';
import { makeNifti, readNifti } from './nifti.mjs';
import { browser, choose, download, opened, openPage, segmented } from './page.mjs';

/** The grid as it is shown: RAS within 25 degrees, 0.8 x 1.2 x 2.5 mm. */
const shown = { dims: [46, 38, 18], spacing: [0.8, 1.2, 2.5] };
const turn = (() => {
  const [a, b, c] = [0.35, -0.25, 0.15];
  const x = [
    [1, 0, 0],
    [0, Math.cos(a), -Math.sin(a)],
    [0, Math.sin(a), Math.cos(a)],
  ];
  const y = [
    [Math.cos(b), 0, Math.sin(b)],
    [0, 1, 0],
    [-Math.sin(b), 0, Math.cos(b)],
  ];
  const z = [
    [Math.cos(c), -Math.sin(c), 0],
    [Math.sin(c), Math.cos(c), 0],
    [0, 0, 1],
  ];
  const times = (p, q) => p.map((row) => [0, 1, 2].map((j) => row.reduce((sum, value, k) => sum + value * q[k][j], 0)));
  return times(z, times(y, x));
})();
const worldOfShown = (place) =>
  turn.map((row, i) => row.reduce((sum, value, j) => sum + value * shown.spacing[j] * place[j], 0) + [-12, 20, -7][i]);

/** The file: its axes are the shown z backwards, x, and y backwards. */
const axes = [
  { of: 2, back: true },
  { of: 0, back: false },
  { of: 1, back: true },
];
const fileDims = axes.map(({ of }) => shown.dims[of]);
const shownOf = (file) => {
  const place = [0, 0, 0];
  axes.forEach(({ of, back }, i) => (place[of] = back ? shown.dims[of] - 1 - file[i] : file[i]));
  return place;
};
const affine = [0, 1, 2].map((row) => {
  const at = (file) => worldOfShown(shownOf(file))[row];
  const origin = at([0, 0, 0]);
  return [at([1, 0, 0]) - origin, at([0, 1, 0]) - origin, at([0, 0, 1]) - origin, origin];
});

/** Bright voxels, each alone in its three slices, none on the crosshair in the middle. */
const MARKS = [
  [8, 27, 4],
  [35, 9, 12],
  [14, 6, 14],
];

function image() {
  const values = new Int16Array(fileDims[0] * fileDims[1] * fileDims[2]);
  const [nx, ny] = fileDims;
  for (let i = 0; i < values.length; i++) values[i] = 60 + ((i * 7919) % 13);
  for (const mark of MARKS) {
    const file = axes.map(({ of, back }) => (back ? shown.dims[of] - 1 - mark[of] : mark[of]));
    values[file[0] + nx * (file[1] + ny * file[2])] = 1000;
  }
  return makeNifti({ dims: fileDims, affine, values, spacing: axes.map(({ of }) => shown.spacing[of]) });
}

const LAYOUTS = ['3', '2', '1']; // keys of the view across each shown axis

/** Shows the slice across `plane` that `place` lies in, alone; the crosshair stays in the middle of it. */
async function look(page, place, plane) {
  await page.locator('#slices').focus();
  for (const axis of [0, 1, 2]) {
    await page.keyboard.press(LAYOUTS[axis]);
    const wanted = axis === plane ? place[axis] : shown.dims[axis] >> 1;
    const by = wanted - page.crosshair[axis];
    for (let i = 0; i < Math.abs(by); i++) await page.keyboard.press(by > 0 ? 'PageUp' : 'PageDown');
    page.crosshair[axis] = wanted;
  }
  await page.keyboard.press(LAYOUTS[plane]);
  await page.waitForTimeout(150);
}

/** The crosshair goes to the first voxel: after a segmentation it may be anywhere. */
async function toCorner(page) {
  await page.locator('#slices').focus();
  for (const axis of [0, 1, 2]) {
    await page.keyboard.press(LAYOUTS[axis]);
    for (let i = 0; i < shown.dims[axis]; i++) await page.keyboard.press('PageDown');
  }
  page.crosshair = [0, 0, 0];
}

/** The voxels of a label in the saved mask, as millimetres by the mask's own header. */
async function painted(page, label) {
  const { bytes } = await download(page);
  const { dims, sform, voxels } = readNifti(bytes);
  const found = [];
  voxels.forEach((value, i) => {
    if (value !== label) return;
    const place = [i % dims[0], Math.floor(i / dims[0]) % dims[1], Math.floor(i / dims[0] / dims[1])];
    found.push(sform.map((row) => row[0] * place[0] + row[1] * place[1] + row[2] * place[2] + row[3]));
  });
  return found;
}

const distance = (a, b) => Math.hypot(...a.map((x, i) => x - b[i]));
/** Millimetres in terms of voxels of the shown grid: how far along each of its axes. */
const inVoxels = (from, to) =>
  [0, 1, 2].map((j) => Math.abs([0, 1, 2].reduce((sum, i) => sum + turn[i][j] * (to[i] - from[i]), 0)) / shown.spacing[j]);

async function prepared(from = browser) {
  const { page, complaints } = await openPage('?backend=cpu', from);
  await choose(page, { 'oblique.nii.gz': image() });
  await opened(page, 'oblique.nii.gz');
  await segmented(page);
  await page.getByRole('button', { name: 'Add label' }).click();
  await toCorner(page);
  // Bright voxels must be seen as they are: the mask is hidden while they are looked for, and noise stays dark.
  await page.locator('#window-low').fill('0');
  await page.locator('#window-high').fill('1000');
  await page.locator('#window-high').press('Enter');
  await page.locator('#opacity').fill('0');
  return { page, complaints };
}

async function brush(page, { kind = 'Brush', steps = -10, ball = false } = {}) {
  await page.getByRole('button', { name: kind, exact: true }).click();
  await page.locator('#size').fill(String(Math.max(-5, steps)));
  await page.locator('#ball').setChecked(ball);
}

const undo = (page) => page.getByRole('button', { name: 'Undo' }).click();

describe('strokes on an oblique anisotropic volume', () => {
  let page;
  let complaints;
  before(async () => ({ page, complaints } = await prepared()));
  after(() => page.close());

  for (const [plane, name] of ['sagittal', 'coronal', 'axial'].entries()) {
    it(`land on the voxel under the pointer, ${name}`, async () => {
      await brush(page);
      for (const mark of MARKS) {
        await look(page, mark, plane);
        await page.mouse.click(...(await brightest(page)));
        const found = await painted(page, 3);
        assert.equal(found.length, 1, `${found.length} voxels painted`);
        const off = inVoxels(worldOfShown(mark), found[0]);
        assert.ok(
          off.every((share) => share < 0.5),
          `off by ${off.map((share) => share.toFixed(2))} voxels`,
        );
        await undo(page);
      }
    });
  }

  it('land there in the radiological display and in the grid of all views too', async () => {
    await page.locator('#radiological').check();
    await brush(page);
    const [mark] = MARKS;
    for (const plane of [1, 2]) {
      await look(page, mark, plane);
      await page.mouse.click(...(await brightest(page)));
      const found = await painted(page, 3);
      assert.equal(found.length, 1);
      assert.ok(inVoxels(worldOfShown(mark), found[0]).every((share) => share < 0.5));
      await undo(page);
    }
    await page.locator('#radiological').uncheck();
  });

  it('follow the pointer from one place to the next without gaps', async () => {
    await brush(page);
    await look(page, MARKS[0], 2);
    const start = await brightest(page);
    await page.mouse.move(...start);
    await page.mouse.down();
    await page.mouse.move(start[0] + 130, start[1] + 90, { steps: 4 });
    await page.mouse.up();
    const found = await painted(page, 3);
    assert.ok(found.length >= 5, `${found.length} voxels`);
    assert.ok(found.some((at) => distance(at, worldOfShown(MARKS[0])) < 1e-3));
    // A chain: each voxel has a neighbour in the chain, and all lie within half a voxel's diagonal of one line.
    const end = found.reduce((a, b) => (distance(b, worldOfShown(MARKS[0])) > distance(a, worldOfShown(MARKS[0])) ? b : a));
    for (const at of found) {
      const off = inVoxels(worldOfShown(MARKS[0]), at);
      const whole = inVoxels(worldOfShown(MARKS[0]), end);
      const t = (off[0] * whole[0] + off[1] * whole[1]) / (whole[0] ** 2 + whole[1] ** 2);
      assert.ok(Math.hypot(off[0] - t * whole[0], off[1] - t * whole[1]) < 1.2, 'a voxel off the line');
      assert.ok(off[2] < 0.01, 'a voxel of another slice');
      assert.ok(
        found.some((other) => other !== at && inVoxels(at, other).every((share) => share < 1.01)),
        'a gap',
      );
    }
    await undo(page);
  });

  it('are balls in millimetres, and discs in their slice', async () => {
    const [mark] = MARKS;
    for (const ball of [true, false]) {
      await brush(page, { steps: 7, ball });
      const mm = 3 * 1.2 ** 2;
      await look(page, mark, 2);
      await page.mouse.click(...(await brightest(page)));
      const found = await painted(page, 3);
      let wanted = 0;
      for (let z = 0; z < shown.dims[2]; z++) {
        for (let y = 0; y < shown.dims[1]; y++) {
          for (let x = 0; x < shown.dims[0]; x++)
            wanted += (ball || z === mark[2]) && distance(worldOfShown([x, y, z]), worldOfShown(mark)) < mm ? 1 : 0;
        }
      }
      // The pointer is on a pixel, not on the middle of the voxel: a shell as thick as that is open.
      assert.ok(Math.abs(found.length - wanted) <= 0.12 * wanted, `${found.length} voxels, expected about ${wanted}`);
      for (const at of found) assert.ok(distance(at, worldOfShown(mark)) < mm + 0.6);
      if (!ball) for (const at of found) assert.ok(inVoxels(at, worldOfShown(mark))[2] < 0.01);
      await undo(page);
    }
  });

  it('leave NiiVue its crosshair: with a tool in hand a click does not move it, with none it does', async () => {
    await brush(page);
    await look(page, MARKS[0], 2);
    const before = await page.locator('#where').textContent();
    const at = await brightest(page);
    await page.mouse.click(...at);
    assert.equal(
      await page
        .locator('#where')
        .textContent()
        .then((text) => text.split('mm')[0]),
      before.split('mm')[0],
    );
    await undo(page);
    await page.getByRole('button', { name: 'Look', exact: true }).click();
    await page.mouse.click(...at);
    await page.waitForTimeout(200);
    const where = await page.locator('#where').textContent();
    const wanted = worldOfShown(MARKS[0])
      .map((mm, i) => `${['RL', 'AP', 'SI'][i][mm < 0 ? 1 : 0]} ${Math.abs(mm).toFixed(1)}`)
      .join('  ');
    assert.ok(where.startsWith(wanted), `${where} is not ${wanted}`);
    assert.match(where, /1000/);
    page.crosshair = [...MARKS[0]];
  });

  it('complained about nothing', () => assert.deepEqual(complaints, []));
});

describe('other hands', () => {
  it('paint by touch', async () => {
    const context = await browser.newContext({ hasTouch: true });
    const { page } = await prepared(context);
    await brush(page);
    await look(page, MARKS[1], 2);
    await page.touchscreen.tap(...(await brightest(page)));
    const found = await painted(page, 3);
    assert.equal(found.length, 1);
    assert.ok(inVoxels(worldOfShown(MARKS[1]), found[0]).every((share) => share < 0.5));
    await context.close();
  });

  it('paint with a pen, and erase with its other end', async () => {
    const { page } = await prepared();
    await brush(page, { steps: 4 });
    await look(page, MARKS[1], 2);
    const [x, y] = await brightest(page);
    const pen = (type, more) =>
      page.evaluate(
        ([kind, init]) => {
          const target = document.elementFromPoint(init.clientX, init.clientY);
          target.dispatchEvent(new PointerEvent(kind, { bubbles: true, cancelable: true, pointerType: 'pen', pointerId: 1, ...init }));
        },
        [type, { clientX: x, clientY: y, ...more }],
      );
    await page.evaluate(() => (Element.prototype.setPointerCapture = () => {}));
    await pen('pointerdown', { button: 0, buttons: 1 });
    await pen('pointerup', { button: 0 });
    const found = (await painted(page, 3)).length;
    assert.ok(found > 5);
    await brush(page, { steps: -5 });
    await pen('pointerdown', { button: 5, buttons: 32 });
    await pen('pointerup', { button: 5 });
    assert.equal((await painted(page, 3)).length, found - 1);
    await page.close();
  });

  it('paint by keyboard alone', async () => {
    const { page } = await prepared();
    await page.locator('#slices').focus();
    await page.keyboard.press('b');
    for (let i = 0; i < 12; i++) await page.keyboard.press('[');
    await look(page, page.crosshair, 2);
    await page.keyboard.press('Space');
    assert.equal((await painted(page, 3)).length, 1);
    await page.locator('#slices').focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowUp');
    const found = await painted(page, 3);
    assert.equal(found.length, 6);
    const [cx, cy, cz] = page.crosshair;
    const wanted = [
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 0],
      [4, 1],
    ].map(([u, v]) => worldOfShown([cx + u, cy + v, cz]));
    for (const place of wanted) assert.ok(found.some((at) => distance(at, place) < 1e-3));
    await page.locator('#slices').focus();
    await page.keyboard.press('Control+z');
    await page.waitForTimeout(100);
    assert.equal((await painted(page, 3)).length, 5);
    await page.locator('#slices').focus();
    await page.keyboard.press('e');
    await page.keyboard.press('Space');
    await page.close();
  });
});
