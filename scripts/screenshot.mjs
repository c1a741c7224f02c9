#!/usr/bin/env node
/** Draws docs/page.png for the README: the sample, segmented on the CPU, as built in www/dist. `--dark` for the dark form. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch, servePage } from '../tests/web/browser.mjs';
import { root } from './tools.mjs';

const dark = process.argv.includes('--dark');
mkdirSync(join(root, 'docs'), { recursive: true });
const server = await servePage();
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: dark ? 'dark' : 'light' });
  await page.goto(`${server.url}?backend=cpu`);
  await page.getByRole('button', { name: 'Segment' }).click();
  await page.locator('html[data-state=done]').waitFor({ timeout: 600_000 });
  await page.screenshot({ path: join(root, 'docs', dark ? 'page-dark.png' : 'page.png') });
} finally {
  await browser.close();
  await server.close();
}
