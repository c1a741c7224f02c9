#!/usr/bin/env node
/**
 * Draws the README's pictures, docs/page*.png: the sample head segmented on the CPU and a brush in hand, as built in www/dist, at the
 * widths of a desk, a tablet and a phone, light and dark.
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, servePage } from '../tests/web/browser.mjs';
import { smaller } from '../tests/web/shades.mjs';
import { root } from './tools.mjs';

const SIZES = { page: [1440, 900], 'page-1024': [1024, 768], 'page-390': [390, 1400] };

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
