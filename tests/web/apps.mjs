/** What is looked at in apps that embed the package. */
import assert from 'node:assert/strict';
import { serve } from './browser.mjs';

/** Whether an app of NiiVue shows the mask, takes it as a drawing, and gives the strokes back. */
export async function assertDrawing(browser, at, image) {
  const server = await serve(at);
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => window.t);
  await page.locator('input').setInputFiles({ name: 'flipped.nii.gz', mimeType: 'application/gzip', buffer: image });
  const found = await page.evaluate(async () => {
    const { correct, corrected, drawnLabels, segment, viewer } = t;
    const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
    const result = await segment(document.querySelector('input').files[0]);
    const overlays = viewer.volumes.length;
    await correct(result);
    const { labels, dims } = corrected();
    const kept = same(labels, result.labels);
    viewer.createEmptyDrawing();
    // A stroke in RAS voxels: of the file, whose x runs to the left, the first voxel of the row is the last.
    viewer.drawPt(0, 20, 10, 2);
    viewer.drawPt(1, 20, 10, 3);
    const strokes = drawnLabels(viewer, { strokes: true, background: 3 }).labels;
    const [nx, ny] = result.dims;
    const at = (x, y, z) => strokes[x + nx * (y + ny * z)];
    const drawn = [at(nx - 1, 20, 10), at(nx - 2, 20, 10), at(0, 20, 10)];
    return {
      overlays,
      left: viewer.volumes.length,
      kept,
      dims,
      orientation: result.orientation,
      drawn,
      marked: strokes.filter((label) => label !== 255).length,
      labelled: result.labels.filter(Boolean).length,
    };
  });
  await page.close();
  await server.close();
  assert.ok(found.labelled > 1000);
  assert.deepEqual(found, {
    ...found,
    overlays: 2,
    left: 1,
    kept: true,
    dims: [34, 49, 34],
    orientation: 'LAS',
    drawn: [2, 0, 255],
    marked: 2,
  });
}

/** Whether each plane of the element has pixels that are not grey: the mask. */
export function coloured({ shadowRoot }) {
  return [...shadowRoot.querySelectorAll('canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - data[i + 2]) > 40) count += 1;
    return count > 20;
  });
}

/** Where a dev server says that it listens. */
export function addressOf(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk) => {
      said += chunk;
      const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
      if (url) resolve(url);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', () => reject(new Error(`the dev server ended: ${said}`)));
  });
}
