/** Bright voxels as a person sees them: by the pixels of a screenshot of the slices, so that nothing of the page's geometry is asked. */
import assert from 'node:assert/strict';

/**
 * The bright grey spots of the canvas, each with its middle in pixels of the page and how many pixels it has, from left to right.
 * @param {import('playwright-core').Page} page
 */
export async function brightSpots(page) {
  const canvas = page.locator('#slices');
  const { x, y } = await canvas.boundingBox();
  // Without the outline of the brush, which is bright too, and what else lies over the slices.
  const over = (visibility) =>
    page.evaluate((value) => {
      for (const one of document.querySelectorAll('#overlay, #zoom, .over')) one.style.visibility = value;
    }, visibility);
  await over('hidden');
  const shot = (await canvas.screenshot()).toString('base64');
  await over('');
  const spots = await page.evaluate(async (shot) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(shot), (c) => c.charCodeAt(0))], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const found = [];
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = data.subarray(i, i + 3);
      const [x, y] = [(i / 4) % bitmap.width, Math.floor(i / 4 / bitmap.width)];
      // The round corners of the canvas show the page.
      if (Math.min(x, y, bitmap.width - x, bitmap.height - y) < 16) continue;
      if (r < 180 || Math.max(r, g, b) - Math.min(r, g, b) > 12) continue;
      const spot = found.find(({ last }) => Math.abs(last[0] - x) <= 40 && Math.abs(last[1] - y) <= 4);
      if (!spot) found.push({ sum: [x, y, 1], last: [x, y] });
      else {
        [x, y, 1].forEach((value, k) => (spot.sum[k] += value));
        spot.last = [x, y];
      }
    }
    return found.map(({ sum: [u, v, count] }) => [u / count, v / count, count]);
  }, shot);
  return spots.map(([u, v, count]) => ({ at: [x + u + 0.5, y + v + 0.5], count })).sort((a, b) => a.at[0] - b.at[0]);
}

/** The middle of all bright grey pixels of the canvas, in pixels of the page. @param {import('playwright-core').Page} page */
export async function brightest(page) {
  const spots = await brightSpots(page);
  const count = spots.reduce((sum, spot) => sum + spot.count, 0);
  assert.ok(count > 8 && count < 5000, `${count} bright pixels`);
  return [0, 1].map((axis) => spots.reduce((sum, spot) => sum + spot.at[axis] * spot.count, 0) / count);
}
