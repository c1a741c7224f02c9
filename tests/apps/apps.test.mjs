/** `npm run test:apps`: each app of examples/, with the packed package installed, built, and given the sample. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { runIn } from '../web/packed.mjs';
import { assertMask, packedWithBrowser } from './app.mjs';

const made = packedWithBrowser('apps');
const { folder } = made;

/** A copy of an example, with the packed package and its other packages installed. */
function installed(name) {
  const at = join(folder, name);
  cpSync(join(root, 'examples', name), at, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  manifest.dependencies['insitu-seg'] = `file:${made.tarball}`;
  writeFileSync(join(at, 'package.json'), JSON.stringify(manifest));
  runIn(at, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
  return at;
}

function built(name) {
  const at = installed(name);
  runIn(at, 'npm', 'run', 'build');
  return join(at, 'dist');
}

/** The share of a canvas that is as orange or as blue as the labels, and not grey. */
const coloured = async (page) => {
  const png = await page.locator('canvas').first().screenshot();
  return page.evaluate(async (base64) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - data[i + 2]) > 60) count += 1;
    return (4 * count) / data.length;
  }, png.toString('base64'));
};

describe('an app', () => {
  it('without a bundler shows the mask’s volumes and gives the mask', async () => {
    const at = join(folder, 'plain');
    cpSync(join(root, 'examples/plain'), at, { recursive: true });
    runIn(folder, 'tar', 'xzf', made.tarball);
    cpSync(join(folder, 'package'), join(at, 'insitu-seg'), { recursive: true });
    await assertMask(made.browser, at, async (page) => {
      const [file] = await Promise.all([page.waitForEvent('download'), page.getByText('Save the mask').click()]);
      assert.deepEqual([...readFileSync(await file.path()).subarray(0, 2)], [0x1f, 0x8b]);
    });
  });

  it('of Vite and NiiVue shows the mask over the slices and counts a correction', async () => {
    await assertMask(made.browser, built('vite-niivue'), async (page) => {
      const share = await coloured(page);
      assert.ok(share > 0.02, `${share}`);
      await page.locator('select').selectOption({ label: 'eraser' });
      const box = await page.locator('canvas').boundingBox();
      await page.mouse.move(box.x + 0.2 * box.width, box.y + 0.3 * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.25 * box.width, box.y + 0.35 * box.height, { steps: 5 });
      await page.mouse.up();
      await page.locator('output', { hasText: /anterior hippocampus: \d+ voxels/ }).waitFor();
    });
  });

  it('of React shows the mask’s volumes, in strict mode too, and leaves no worker of the first mount', async () => {
    await assertMask(made.browser, built('react'), async (page) => assert.equal(page.workers().length, 2));
  });

  it('of vtk.js shows image and mask', async () => {
    await assertMask(made.browser, built('vtk'), async (page) => {
      const share = await coloured(page);
      assert.ok(share > 0.02, `${share}`);
    });
  });
});
