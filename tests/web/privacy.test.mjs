/** "No byte leaves the machine" as figures: requests counted at the server and by the page, the server stopped, leaks tried. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from './browser.mjs';
import { snippets } from './packed.mjs';

const PAGE =
  '<!doctype html><html lang="en"><title>privacy</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script></html>';
const MAIN = "import * as core from './index.js';\nimport * as session from './session.js';\nwindow.t = { ...core, ...session };\n";
const policy = snippets()['csp.txt'].trim();

let server;
let elsewhere;
let browser;
before(async () => {
  server = await serve(join(root, 'pkg'), { policy, extra: { '/': PAGE, '/main.js': { type: 'text/javascript', body: MAIN } } });
  elsewhere = await serve(join(root, 'pkg'));
  browser = await launch({ webgpu: false });
});
after(async () => {
  await browser?.close();
  await Promise.all([server?.close(), elsewhere?.close()]);
});

/** A page with a segmenter and the sample, and what it complained about. */
async function open(from = server) {
  const page = await (await browser.newContext()).newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(from.url);
  await page.waitForFunction(() => window.t);
  await page.evaluate(async () => {
    const blob = async (name) => (await fetch(`/samples/hippocampus/${name}.nii.gz`)).blob();
    [t.sample, t.truth] = [await blob('image'), await blob('label')];
    t.segmenter = await t.createSegmenter();
  });
  return { page, complaints };
}

/** From "loaded" to "saved": the mask in three forms, a download of it, a session; with `tune` the tuned weights too. */
const segmentAndSave = (page, tune = false) =>
  page.evaluate(async (tune) => {
    const result = await t.segmenter.segment(t.sample);
    const files = [result.toNifti(), result.toNrrd(), result.toCsv()];
    if (tune) {
      const report = await t.segmenter.tune([{ image: t.sample, labels: t.truth, name: 'sample' }], { steps: 3, rate: 1e-3, minGain: 0 });
      if (!report.accepted) throw new Error(report.reason);
      files.push(await t.segmenter.saveModel());
    }
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(new Blob([files[0]])), download: 'mask.nii.gz' });
    link.click();
    const session = await t.openSession('private');
    await session.put('mask', files[0]);
    await session.append({ kind: 'run' });
    await session.close();
    return { labelled: result.labels.filter(Boolean).length, sizes: files.map(({ length }) => length), requests: t.requestsSinceLoad() };
  }, tune);

describe('from loaded to saved', () => {
  it('no request is made, tuning included, says the server and says the page', async () => {
    const { page, complaints } = await open();
    const before = server.requests.length;
    const { labelled, sizes, requests } = await segmentAndSave(page, true);
    assert.ok(labelled > 1000 && sizes.every((size) => size > 50));
    assert.equal(requests, 0);
    assert.deepEqual(server.requests.slice(before), []);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('a request would have been counted, in the page as in a worker', async () => {
    const { page } = await open();
    const counted = await page.evaluate(async () => {
      const reach = async (count) => {
        while (t.requestsSinceLoad() < count) await new Promise((resolve) => setTimeout(resolve, 20));
        return t.requestsSinceLoad();
      };
      const counts = [t.requestsSinceLoad()];
      await (await fetch('/package.json')).text();
      counts.push(await reach(1));
      const stop = new AbortController();
      // The worker that waits takes over, and the next to wait is fetched.
      await t.segmenter.segment(t.sample, { signal: stop.signal, onProgress: () => stop.abort() }).catch(() => {});
      await t.segmenter.segment(t.sample);
      return [...counts, await reach(5)];
    });
    assert.deepEqual(counted.slice(0, 2), [0, 1]);
    assert.ok(counted[2] >= 5, `${counted}`);
    await page.context().close();
  });

  it('the server may be stopped, and a run cancelled meanwhile', async () => {
    const mortal = await serve(join(root, 'pkg'), { policy, extra: { '/': PAGE, '/main.js': { type: 'text/javascript', body: MAIN } } });
    const { page } = await open(mortal);
    await mortal.close();
    const first = await segmentAndSave(page);
    const code = await page.evaluate(async () => {
      const stop = new AbortController();
      return t.segmenter.segment(t.sample, { signal: stop.signal, onProgress: () => stop.abort() }).catch(({ code }) => code);
    });
    assert.equal(code, 'cancelled');
    const second = await segmentAndSave(page);
    assert.ok(first.labelled > 1000);
    assert.deepEqual(second.sizes, first.sizes);
    const { sizes } = await segmentAndSave(page, true);
    assert.equal(sizes.length, 4);
    await page.context().close();
  });
});

describe('under the policy of the README', () => {
  /** Each tries to send to another origin, and resolves to whether it was let. */
  const LEAKS = {
    fetch: (url) =>
      fetch(url, { mode: 'no-cors' }).then(
        () => true,
        () => false,
      ),
    beacon: (url) => void navigator.sendBeacon(url, 'x'),
    image: (url) =>
      new Promise((resolve) => Object.assign(new Image(), { onload: () => resolve(true), onerror: () => resolve(false), src: url })),
    WebSocket: (url) =>
      new Promise((resolve) => {
        try {
          Object.assign(new WebSocket(url.replace('http', 'ws')), { onopen: () => resolve(true), onerror: () => resolve(false) });
        } catch {
          resolve(false);
        }
      }),
    EventSource: (url) =>
      new Promise((resolve) => Object.assign(new EventSource(url), { onopen: () => resolve(true), onerror: () => resolve(false) })),
    prefetch: (url) =>
      new Promise((resolve) => {
        const link = Object.assign(document.createElement('link'), {
          rel: 'prefetch',
          href: url,
          onload: () => resolve(true),
          onerror: () => resolve(false),
        });
        document.head.append(link);
        setTimeout(resolve, 1000, false);
      }),
    XMLHttpRequest: (url) =>
      new Promise((resolve) => {
        const request = Object.assign(new XMLHttpRequest(), { onload: () => resolve(true), onerror: () => resolve(false) });
        request.open('GET', url);
        request.send();
      }),
    'a frame': (url) =>
      new Promise((resolve) => {
        document.body.append(Object.assign(document.createElement('iframe'), { src: url }));
        setTimeout(resolve, 500, false);
      }),
    'a script': (url) =>
      new Promise((resolve) => {
        document.head.append(
          Object.assign(document.createElement('script'), { src: url, onload: () => resolve(true), onerror: () => resolve(false) }),
        );
      }),
    'a form': (url) => {
      const form = Object.assign(document.createElement('form'), { action: url, method: 'post', target: 'other' });
      document.body.append(form, Object.assign(document.createElement('iframe'), { name: 'other' }));
      form.submit();
    },
  };
  let page;
  before(async () => {
    page = await browser.newPage();
    await page.goto(server.url);
  });
  after(() => page.close());

  for (const [name, leak] of Object.entries(LEAKS)) {
    it(`${name} reaches no other origin`, async () => {
      const before = elsewhere.requests.length;
      const passed = await page.evaluate(`(${leak})(${JSON.stringify(`${elsewhere.url}leak`)})`);
      await page.waitForTimeout(200);
      assert.notEqual(passed, true);
      assert.deepEqual(elsewhere.requests.slice(before), []);
    });
  }

  it('and without it they do, so that the probes mean something', async () => {
    const free = await browser.newPage();
    await free.goto(`${elsewhere.url}package.json`);
    const before = server.requests.length;
    for (const name of ['fetch', 'beacon', 'image', 'prefetch'])
      await free.evaluate(`(${LEAKS[name]})(${JSON.stringify(`${server.url}leak-${name}`)})`);
    await free.waitForTimeout(500);
    assert.ok(server.requests.length >= before + 4, server.requests.slice(before).join());
    await free.close();
  });
});
