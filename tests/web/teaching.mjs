/** Correcting the sample with the keyboard, as a person would who knows its true labels. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/tools.mjs';
import { readNifti } from './nifti.mjs';

export const truth = readNifti(readFileSync(join(root, 'pkg/samples/hippocampus/label.nii.gz')));
const [nx, ny, nz] = truth.dims;
const labelAt = (x, y, z) => truth.voxels[x + nx * (y + ny * z)];

/** By coronal slice: for each label that is large there, the voxel in its middle and the radius of a disc of its area, times `scale`. */
function discs(scale) {
  const slices = [];
  for (let y = 6; y < ny - 4; y += 5) {
    const found = [1, 2].map((label) => {
      const sum = [0, 0, 0];
      for (let z = 0; z < nz; z++)
        for (let x = 0; x < nx; x++) if (labelAt(x, y, z) === label) [x, z, 1].forEach((value, k) => (sum[k] += value));
      return {
        label,
        x: Math.round(sum[0] / sum[2]),
        z: Math.round(sum[1] / sum[2]),
        radius: scale * Math.sqrt(sum[2] / Math.PI),
        area: sum[2],
      };
    });
    slices.push({ y, discs: found.filter(({ area }) => area >= 20) });
  }
  return slices;
}

const press = async (page, key, times = 1) => {
  for (let i = 0; i < times; i++) await page.keyboard.press(key);
};

/** Moves the crosshair along the slice (x, z) or through the slices (y). */
async function goTo(page, place) {
  for (const [axis, [more, less]] of [
    ['x', ['ArrowRight', 'ArrowLeft']],
    ['z', ['ArrowUp', 'ArrowDown']],
    ['y', ['PageUp', 'PageDown']],
  ]) {
    const by = (place[axis] ?? page.crosshair[axis]) - page.crosshair[axis];
    await press(page, by > 0 ? more : less, Math.abs(by));
    page.crosshair[axis] += by;
  }
}

/** Draws discs in place of the mask, with the keyboard, and marks each slice as right. @param {{ scale?: number }} [options] `scale`: of their radius */
export async function correctSlices(page, { scale = 1 } = {}) {
  await page.locator('#slices').focus();
  await press(page, '2');
  page.crosshair = { x: nx >> 1, y: ny >> 1, z: nz >> 1 };
  for (const { y, discs: wanted } of discs(scale)) {
    await goTo(page, { y, x: nx >> 1, z: nz >> 1 });
    await page.locator('#slices').focus();
    await press(page, 'e');
    await page.locator('#size').fill('18');
    await page.locator('#slices').focus();
    await press(page, 'Space');
    for (const { label, x, z, radius } of wanted) {
      await goTo(page, { x, z });
      await page.locator(`#classes input[type=radio][value="${label}"]`).check();
      await page.locator('#size').fill(String(Math.round(Math.log(radius / 3) / Math.log(1.2) + 5)));
      await page.locator('#slices').focus();
      await press(page, 'b');
      await press(page, 'Space');
    }
    await press(page, 'k');
  }
}
