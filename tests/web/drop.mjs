/** Files dropped by real input events, as a hand does it: the browser itself finds the element under the pointer. */

/**
 * Drops files and folders on the middle of an element.
 * @param {import('playwright-core').Page} page @param {string[]} paths of files and folders on this machine
 * @param {{ on?: string }} [options] `on`: the selector of the element, by default the slices' canvas
 */
export async function dropPaths(page, paths, { on = '#slices' } = {}) {
  const client = await page.context().newCDPSession(page);
  const { x, y, width, height } = await page.locator(on).boundingBox();
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await client.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data });
  }
  await client.detach();
}
