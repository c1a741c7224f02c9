/** Firefox, by puppeteer over WebDriver BiDi. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firefox } from '../../scripts/tools.mjs';
import { noDisplay, openDisplay } from './display.mjs';

export const name = 'Firefox';

export const lacks = () => (firefox() ? noDisplay() : 'there is no Firefox (set FIREFOX)');

/** WebGPU is asked for: on machines without a GPU it is Mesa's lavapipe, where that is installed. @param {string} downloads a folder */
const prefs = (downloads) => ({
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'browser.download.folderList': 2,
  'browser.download.dir': downloads,
  'browser.download.alwaysOpenPanel': false,
});

/** The browser, the folder into which it saves, and the end of both. */
export async function startFirefox() {
  const { launch: start } = await import('puppeteer-core');
  const downloads = mkdtempSync(join(tmpdir(), 'insitu-firefox-'));
  const display = await openDisplay();
  const browser = await start({
    browser: 'firefox',
    executablePath: firefox(),
    headless: true,
    env: { ...process.env, ...display.env },
    extraPrefsFirefox: prefs(downloads),
    defaultViewport: { width: 1280, height: 900 },
    protocolTimeout: 600_000,
  });
  const close = async () => {
    await browser.close();
    display.close();
    rmSync(downloads, { recursive: true, force: true });
  };
  return { browser, downloads, close };
}

/** @returns {Promise<import('./tab.mjs').Tab>} */
export async function launch() {
  const { browser, downloads, close } = await startFirefox();
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  return {
    downloads,
    complaints,
    version: (await browser.version()).replace(/^firefox\//, ''),
    goto: async (url) => void (await page.goto(url, { waitUntil: 'domcontentloaded' })),
    reload: async () => void (await page.reload({ waitUntil: 'domcontentloaded' })),
    evaluate: (script, ...args) => page.evaluate(script, ...args),
    async choose(selector, paths) {
      const field = await page.$(selector);
      await field.uploadFile(...paths);
    },
    async drag([first, ...others]) {
      await page.mouse.move(first.x, first.y);
      await page.mouse.down();
      for (const { x, y } of others) await page.mouse.move(x, y);
      await page.mouse.up();
    },
    async press(...keys) {
      for (const key of keys) await page.keyboard.down(key);
      for (const key of keys.toReversed()) await page.keyboard.up(key);
    },
    screenshot: (path) => page.screenshot({ path }),
    close,
  };
}
