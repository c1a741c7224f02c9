#!/usr/bin/env node
/**
 * Draws the README's pictures, docs/page*.png: the sample head segmented on the CPU and a brush in hand, as built in www/dist, at the
 * widths of a desk, a tablet and a phone, light and dark.
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, servePage } from '../tests/web/browser.mjs';
import { root } from './tools.mjs';

const SIZES = { page: [1440, 900], 'page-1024': [1024, 768], 'page-390': [390, 1400] };

/** Fewer shades of the slices, which do not show it, make a file of half the size; all else stays as it is. */
async function smaller(page, png, { x, y, width, height }) {
  const [left, top, across, down] = [x, y, width, height].map(Math.floor);
  const base64 = await page.evaluate(
    async ([shot, left, top, across, down]) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${shot}`)).blob());
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context.drawImage(bitmap, 0, 0);
      const image = context.getImageData(left, top, across, down);
      for (let i = 0; i < image.data.length; i++) if (i % 4 < 3) image.data[i] = Math.min(255, Math.round(image.data[i] / 12) * 12);
      context.putImageData(image, left, top);
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
      return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
    },
    [png.toString('base64'), left, top, across, down],
  );
  const made = Buffer.from(base64, 'base64');
  return made.length < png.length ? made : png;
}

async function draw(browser, blank, url, name, [width, height], colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: 'en' });
  context.setDefaultTimeout(300_000);
  const page = await context.newPage();
  await page.goto(`${url}?backend=cpu`);
  await page.locator('html[data-state=ready]').waitFor({ state: 'attached', timeout: 120_000 });
  await page.locator('#segment').click();
  await page.locator('html[data-state=done]').waitFor({ state: 'attached', timeout: 600_000 });
  await page.locator('html[data-offline]').waitFor({ state: 'attached' });
  await page.locator('#kinds button[value=brush]').click();
  await page.locator('#size').fill('3');
  if (width < 860) await page.evaluate(() => scrollTo(0, 0));
  const stage = await page.locator('#slices').boundingBox();
  await page.mouse.move(stage.x + stage.width * 0.47, stage.y + stage.height * 0.28);
  await page.waitForTimeout(600);
  const png = await smaller(blank, await page.screenshot(), stage);
  writeFileSync(join(root, 'docs', `${name}.png`), png);
  await context.close();
}

mkdirSync(join(root, 'docs'), { recursive: true });
const server = await servePage();
const browser = await launch({ webgpu: false });
let total = 0;
try {
  const blank = await browser.newPage();
  for (const [name, size] of Object.entries(SIZES)) {
    for (const scheme of ['light', 'dark']) {
      const file = scheme === 'light' ? name : `${name}-dark`;
      await draw(browser, blank, server.url, file, size, scheme);
      const { size: bytes } = statSync(join(root, 'docs', `${file}.png`));
      total += bytes;
      console.log(`docs/${file}.png: ${(bytes / 1000).toFixed(0)} kB`);
    }
  }
} finally {
  await browser.close();
  await server.close();
}
console.log(`${(total / 1e6).toFixed(2)} MB`);
