/** An app that someone built on the package, opened and given the sample. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from '../web/browser.mjs';
import { pack, scratch } from '../web/packed.mjs';

const SAMPLE = join(root, 'pkg/samples/hippocampus/image.nii.gz');

/** `folder` of a test file, gone after it, with `tarball`, the packed package, and `browser`, there from its first test to its last. */
export function packedWithBrowser(name) {
  const made = { folder: scratch(name) };
  before(async () => {
    made.tarball = pack(made.folder).tarball;
    made.browser = await launch({ webgpu: false });
  });
  after(async () => {
    await made.browser?.close();
    rmSync(made.folder, { recursive: true, force: true });
  });
  return made;
}

/**
 * Opens the app, gives it the sample, and sees that it says what the mask holds, and that nothing complained; `look` may
 * see more. `isolated`: served with the headers for threads, of which it must then have several.
 */
export async function assertMask(browser, at, look = () => {}, { isolated = false } = {}) {
  const server = await serve(at, { isolated });
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  try {
    await page.goto(server.url);
    await page.locator('output', { hasText: /^Ready/ }).waitFor({ timeout: 60_000 });
    if (isolated) assert.match(await page.locator('output').textContent(), /uses (\d+ threads|one thread, as this machine has one core)/);
    await page.locator('input').setInputFiles(SAMPLE);
    await page.locator('output', { hasText: 'mL' }).waitFor({ timeout: 60_000 });
    assert.equal(await page.locator('output').textContent(), 'Left anterior hippocampus: 1.631 mL; Left posterior hippocampus: 1.640 mL');
    await look(page);
    if (process.env.INSITU_PICTURES) await page.screenshot({ path: join(process.env.INSITU_PICTURES, `${at.split('/').at(-2)}.png`) });
    assert.deepEqual(complaints, []);
  } catch (error) {
    const said = await page.locator('output').textContent();
    throw new Error(`${error.message}\nthe page says: ${said}\n${complaints.join('\n')}`);
  } finally {
    await page.close();
    await server.close();
  }
}
