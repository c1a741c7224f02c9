/** An anisotropic volume with single bright voxels, opened to be looked at, and its slices. */
import assert from 'node:assert/strict';
import { makeNifti, readNifti } from './nifti.mjs';
import { browser, choose, download, opened, openPage, segmented } from './page.mjs';

export const DIMS = [46, 38, 18];
export const SPACING = [0.8, 1.2, 2.5];
/** Bright voxels; the first and one other lie in a slice of each plane. */
export const MARK = [8, 27, 4];
export const OTHERS = [
  [8, 9, 12],
  [33, 27, 13],
  [30, 10, 4],
];
export const indexOf = ([x, y, z]) => x + DIMS[0] * (y + DIMS[1] * z);

export function image({ marks = [MARK, ...OTHERS], low = 60 } = {}) {
  const values = Int16Array.from({ length: DIMS[0] * DIMS[1] * DIMS[2] }, (_, i) => low + ((i * 7919) % 13));
  for (const mark of marks) values[indexOf(mark)] = 1000;
  const affine = SPACING.map((mm, row) => [0, 1, 2].map((axis) => (axis === row ? mm : 0)).concat(-15));
  return { values, bytes: makeNifti({ dims: DIMS, affine, values, spacing: SPACING }) };
}

export const PLANES = ['sagittal', 'coronal', 'axial'];
const KEYS = ['3', '2', '1'];

/** A page with the image, small, as it draws in software. */
export async function looking({ from = browser, label = false, file = image().bytes } = {}) {
  const opening = await openPage('?backend=cpu', from);
  const { page } = opening;
  await page.setViewportSize({ width: 900, height: 640 });
  await choose(page, { 'look.nii.gz': file });
  await opened(page, 'look.nii.gz');
  if (label) {
    await segmented(page);
    await page.getByRole('button', { name: 'Add label' }).click();
  }
  await page.locator('#window-low').fill('0');
  await page.locator('#window-high').fill('1000');
  await page.locator('#window-high').press('Enter');
  await page.locator('#opacity').fill('0');
  return opening;
}

/** The voxel under the crosshair, by what the page says of it. */
export async function crosshair(page) {
  const words = await page.locator('#where').textContent();
  return [...words.matchAll(/([RLAPSI]) (\d+\.\d)/g)].map(([, letter, mm], i) =>
    Math.round(((/[RAS]/.test(letter) ? 1 : -1) * mm + 15) / SPACING[i]),
  );
}

/** Shows the slice across `plane` that the marks lie in, alone; the crosshair is on neither of them. */
export async function look(page, plane) {
  await page.locator('#slices').focus();
  const here = await crosshair(page);
  for (const axis of [0, 1, 2]) {
    await page.keyboard.press(KEYS[axis]);
    const wanted = axis === plane ? MARK[axis] : [20, 18, 8][axis];
    const by = wanted - here[axis];
    for (let i = 0; i < Math.abs(by); i++) await page.keyboard.press(by > 0 ? 'PageUp' : 'PageDown');
  }
  await page.keyboard.press(KEYS[plane]);
  await page.waitForTimeout(150);
}

export const settle = (page) => page.waitForTimeout(150);
export const where = (page) => page.locator('#where').textContent();
export const zoomNow = async (page) =>
  (await page.locator('#zoom').isVisible()) ? parseFloat(await page.locator('#zoom-now').textContent()) : 1;
export const near = (a, b, by, what) => assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1]) <= by, `${what}: ${a} is not ${b}`);

export async function zoomAt(page, at, notches) {
  await page.mouse.move(...at);
  await page.keyboard.down('Control');
  for (let i = 0; i < Math.abs(notches); i++) await page.mouse.wheel(0, notches > 0 ? -120 : 120);
  await page.keyboard.up('Control');
  await settle(page);
}

export async function drag(page, [x, y], [dx, dy], { button = 'left', shift = false } = {}) {
  await page.mouse.move(x, y);
  if (shift) await page.keyboard.down('Shift');
  await page.mouse.down({ button });
  await page.mouse.move(x + dx, y + dy, { steps: 3 });
  await page.mouse.up({ button });
  if (shift) await page.keyboard.up('Shift');
  await settle(page);
}

/** The voxels of a label in the saved mask, as places of the image. */
export async function painted(page, label = 3) {
  const { voxels } = readNifti((await download(page)).bytes);
  const found = [];
  voxels.forEach(
    (value, i) => value === label && found.push([i % DIMS[0], Math.floor(i / DIMS[0]) % DIMS[1], Math.floor(i / DIMS[0] / DIMS[1])]),
  );
  return found;
}

/** Two fingers, from two places to two others. */
export async function pinch(page, from, to) {
  const client = await page.context().newCDPSession(page);
  const points = (pair) => pair.map(([x, y], id) => ({ x, y, id }));
  const send = (type, pair) => client.send('Input.dispatchTouchEvent', { type, touchPoints: points(pair) });
  await send('touchStart', from.slice(0, 1));
  await send('touchStart', from);
  const between = (share) => from.map((at, i) => at.map((one, k) => one + (to[i][k] - one) * share));
  for (const share of [0.25, 0.5, 0.75, 1]) await send('touchMove', between(share));
  await send('touchEnd', []);
  await client.detach();
  await settle(page);
}
