/** Chromium, by Playwright, as in tests/web. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '../../scripts/tools.mjs';
import { launch as start } from '../web/browser.mjs';

export const name = 'Chromium';

export const lacks = () => (chromium() ? null : 'there is no Chromium (set CHROMIUM)');

/** @returns {Promise<import('./tab.mjs').Tab>} */
export async function launch() {
  const downloads = mkdtempSync(join(tmpdir(), 'insitu-chromium-'));
  const browser = await start();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('download', (file) => file.saveAs(join(downloads, file.suggestedFilename())));
  return {
    downloads,
    complaints,
    version: browser.version(),
    goto: async (url) => void (await page.goto(url, { waitUntil: 'domcontentloaded' })),
    reload: async () => void (await page.reload({ waitUntil: 'domcontentloaded' })),
    evaluate: (script, ...args) => page.evaluate(`(${script})(...${JSON.stringify(args)})`),
    choose: (selector, paths) => page.locator(selector).setInputFiles(paths),
    async drag([first, ...others]) {
      await page.mouse.move(first.x, first.y);
      await page.mouse.down();
      for (const { x, y } of others) await page.mouse.move(x, y);
      await page.mouse.up();
    },
    press: (...keys) => page.keyboard.press(keys.join('+')),
    screenshot: async (path) => void (await page.screenshot({ path })),
    async close() {
      await browser.close();
      rmSync(downloads, { recursive: true, force: true });
    },
  };
}
