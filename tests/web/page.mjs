/** The built page, used as a person would, in headless Chromium: what the tests of the page share. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, servePage } from './browser.mjs';

const MINUTES = 60_000;
export const SAMPLE = join(root, 'pkg/samples/hippocampus/image.nii.gz');

/** One of each for a file of tests; started before its first test, gone after its last. */
export let server;
export let browser;
before(async () => {
  server = await servePage();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** The page, ready, with everything the console complained about; with the sample crop, where `query` does not ask for another. */
export async function openPage(query = '', from = browser, { url } = server) {
  const page = await from.newPage();
  // A machine that does other things besides draws slowly in software.
  page.setDefaultTimeout(3 * MINUTES);
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  const address = new URL(query, url);
  if (!address.searchParams.has('sample')) address.searchParams.set('sample', 'crop');
  await page.goto(address.href);
  await state(page, 'ready', 'error');
  assert.equal(await page.locator('#error').textContent(), '');
  return { page, complaints };
}

export const state = (page, ...names) =>
  page.locator(names.map((name) => `html[data-state=${name}]`).join(',')).waitFor({ state: 'attached', timeout: 6 * MINUTES });

/** All that a person made until now is kept in the browser. */
export const kept = (page) => page.locator('html[data-kept=yes]').waitFor({ state: 'attached', timeout: 60_000 });

/** Chooses files in the picker: { name: bytes }. */
export const choose = (page, files) =>
  page
    .locator('#file')
    .setInputFiles(Object.entries(files).map(([name, buffer]) => ({ name, mimeType: 'application/octet-stream', buffer })));

/** Waits until the page shows the image of this title. */
export async function opened(page, title) {
  await page.locator('#file-name', { hasText: title }).waitFor();
  await state(page, 'ready');
}

export const segment = (page) => page.locator('#segment').click();

/** Runs to the mask, and reads what the page shows of it. */
export async function segmented(page) {
  await segment(page);
  await state(page, 'done', 'error');
  assert.equal(await page.locator('#error').textContent(), '');
  return JSON.parse(await page.locator('#report').textContent());
}

export async function download(page, button = 'Download mask') {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

/** No violation that axe-core finds and nothing too wide, on a desk and on a phone, with every detail open. */
export async function assertAccessible(page, colorScheme) {
  // Colours that are still fading from one scheme to the other are neither's.
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.evaluate(readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8'));
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    const { violations } = await page.evaluate(() => axe.run());
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
      [],
    );
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  }
}
