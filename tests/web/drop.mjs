/** Files dropped as a hand does it. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isFirefox } from './browser.mjs';

/**
 * Drops files and folders on the middle of an element: by real input events, so that the browser itself finds the element under the pointer.
 * No protocol of Firefox has such; there the same events are made on the element, with files and without folders.
 * @param {import('playwright-core').Page} page @param {string[]} paths of files and folders on this machine
 * @param {{ on?: string }} [options] `on`: the selector of the element, by default the slices' canvas
 */
export async function dropPaths(page, paths, { on = '#slices' } = {}) {
  if (isFirefox()) return dropMade(page, paths, on);
  const client = await page.context().newCDPSession(page);
  const { x, y, width, height } = await page.locator(on).boundingBox();
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await client.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data });
  }
  await client.detach();
}

/** @param {import('playwright-core').Page} page @param {string[]} paths @param {string} on */
async function dropMade(page, paths, on) {
  const files = paths.map((path) => [basename(path), readFileSync(path).toString('base64')]);
  await page.locator(on).evaluate((target, files) => {
    const dataTransfer = new DataTransfer();
    for (const [name, base64] of files) dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    for (const type of ['dragenter', 'dragover', 'drop']) {
      target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true, composed: true }));
    }
  }, files);
}
