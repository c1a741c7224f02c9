/** The page without a network, and its service worker: it answers for the page's own files, and for nothing else on the server. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { servePage } from './browser.mjs';
import { browser, state } from './page.mjs';

describe('the service worker', () => {
  let own;
  let context;
  let page;
  before(async () => {
    own = await servePage({
      extra: {
        '/notes.html': '<h1>Another page</h1>',
        '/app/': '<h1>Another app</h1>',
        '/data.json': { type: 'application/json', body: '1' },
      },
    });
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(`${own.url}?backend=cpu&sample=crop`);
    await page.locator('html[data-offline=ready]').waitFor({ state: 'attached', timeout: 120_000 });
    await page.reload();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  });
  after(async () => {
    await context.close();
    await own.close().catch(() => {});
  });

  it('is no network: what it answers is not counted as a request; what the server answers is', async () => {
    await state(page, 'ready');
    const before = own.requests.length;
    const ask = (url) => page.evaluate(async (url) => void (await (await fetch(url)).text()), url);
    const badge = () => page.locator('#requests').textContent();
    await ask(await page.locator('link[rel=icon]').getAttribute('href'));
    await page.waitForTimeout(1500);
    assert.equal(await badge(), '0 network requests since loading');
    // The browser itself looks for a newer service worker.
    assert.deepEqual(
      own.requests.slice(before).filter((path) => path !== '/sw.js'),
      [],
    );
    await ask('./data.json');
    await page.locator('#requests', { hasText: '1 network requests' }).waitFor();
  });

  it('keeps the modules that this browser runs, and not those of others', async () => {
    const kept = await page.evaluate(async () => {
      const name = (await caches.keys()).find((name) => name.startsWith('insitu-seg '));
      return (await (await caches.open(name)).keys()).map(({ url }) => url).filter((url) => url.endsWith('.wasm')).length;
    });
    // One for the GPU, one for one thread and one for several; all five before.
    assert.equal(kept, 3);
  });

  it('lets other pages and unknown paths of the same server be answered by the server', async () => {
    for (const [path, heading] of [
      ['notes.html', 'Another page'],
      ['app/', 'Another app'],
    ]) {
      await page.goto(own.url + path);
      assert.equal(await page.locator('h1').textContent(), heading);
    }
    // The server has nothing there, and the browser says so.
    const lost = await context.newPage();
    await assert.rejects(lost.goto(`${own.url}nowhere/at/all`), /HTTP_RESPONSE_CODE_FAILURE/);
    await lost.close();
    await page.goto(`${own.url}notes.html`);
    const answers = await page.evaluate(async (url) => {
      const ask = async (path) => (await fetch(url + path)).status;
      return [await ask('data.json'), await ask('assets/none.js'), await ask('index.html?x=1')];
    }, own.url);
    assert.deepEqual(answers, [200, 404, 200]);
  });

  it('answers for the page without a server, by both of its names and with any question', async () => {
    await own.close();
    for (const path of ['', 'index.html', '?lang=de&backend=cpu', 'index.html?backend=cpu&sample=crop']) {
      const answer = await page.goto(own.url + path);
      assert.equal(answer.fromServiceWorker(), true);
    }
    await state(page, 'ready', 'done');
    await assert.rejects(page.goto(`${own.url}notes.html`));
  });
});
