/** The page where something is missing: it works, or says why in one sentence. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { launch, servePage } from './browser.mjs';
import { browser, choose, download, kept, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const sample = readFileSync(SAMPLE);

/** A page before whose first script `script` runs. */
async function crippled(script, query = '?backend=cpu') {
  const context = await browser.newContext();
  await context.addInitScript(script);
  return { context, ...(await openPage(query, context)) };
}

describe('without', () => {
  it('storage for files, it works and says that nothing is kept', async () => {
    const { context, page, complaints } = await crippled(() => delete StorageManager.prototype.getDirectory);
    assert.match(
      await page.locator('#kept').textContent(),
      /^Your work is not kept when the page closes: this browser offers this page no storage for files\.$/,
    );
    await choose(page, { 'mine.nii.gz': sample });
    await opened(page, 'mine.nii.gz');
    await segmented(page);
    assert.ok((await download(page)).bytes.length > 100);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('createWritable, as Safari before 26, it keeps the work, says so, and has it after a reload', async () => {
    const { context, page, complaints } = await crippled(() => delete FileSystemFileHandle.prototype.createWritable);
    await choose(page, { 'mine.nii.gz': sample });
    await opened(page, 'mine.nii.gz');
    await segmented(page);
    const mask = (await download(page)).bytes;
    await kept(page);
    assert.match(await page.locator('#kept').textContent(), /is kept in this browser until/);
    await page.reload();
    await state(page, 'done', 'error');
    assert.equal(await page.locator('#file-name').textContent(), 'mine.nii.gz');
    assert.deepEqual((await download(page)).bytes, mask);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('WebGL 2, it segments and exports without slices, and says so', async () => {
    const { context, page } = await crippled(() => {
      const { getContext } = HTMLCanvasElement.prototype;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind === 'webgl2' ? null : getContext.call(this, kind, ...rest);
      };
    });
    assert.match(
      await page.locator('#view-notice').textContent(),
      /^The slices cannot be drawn because this browser has no WebGL 2; .*\.$/,
    );
    await segmented(page);
    assert.equal(await page.getByRole('button', { name: 'Brush' }).isDisabled(), true);
    await page.getByRole('button', { name: 'Keep largest' }).click();
    assert.ok((await download(page)).bytes.length > 100);
    const stl = await download(page, 'All as one .zip');
    assert.ok(stl.bytes.length > 1000);
    await context.close();
  });

  it('a service worker, it works and says that the next visit needs the network', async () => {
    const { context, page } = await crippled(() => Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined }));
    await page.locator('html[data-offline=none]').waitFor({ state: 'attached' });
    assert.match(
      await page.locator('#offline').textContent(),
      /^Needs the network at the next visit: this browser keeps no pages offline here\.$/,
    );
    await segmented(page);
    await context.close();
  });

  it('threads, GPU and all but 1 GiB of wasm memory, it segments', async () => {
    const small = await launch({ webgpu: false, more: ['--js-flags=--wasm-max-mem-pages=16384'] });
    const { page } = await openPage('', small);
    await segmented(page);
    const most = await page.evaluate(() => {
      try {
        new WebAssembly.Memory({ initial: 1, maximum: 65536 }).grow(20000);
        return 'more';
      } catch {
        return 'limited';
      }
    });
    assert.equal(most, 'limited');
    await small.close();
  });

  it('a network after the first load, it opens, segments and saves', async () => {
    const own = await servePage();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${own.url}?backend=cpu`);
    await state(page, 'ready');
    await page.locator('html[data-offline=ready]').waitFor({ state: 'attached' });
    assert.match(await page.locator('#offline').textContent(), /Works offline from now on/);
    await own.close();
    await page.reload();
    await state(page, 'ready', 'error');
    assert.equal(await page.locator('#error').textContent(), '');
    await choose(page, { 'mine.nii.gz': sample });
    await opened(page, 'mine.nii.gz');
    await segmented(page);
    assert.ok((await download(page)).bytes.length > 100);
    await context.close();
  });
});
