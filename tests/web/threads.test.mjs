/** Threads on the CPU where something is missing: how many, and none where they cannot be had, soon and with the reason. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { cannotRun, notRun } from '../not-run.mjs';
import { launch, serve } from './browser.mjs';
import { EMPTY_PAGE } from './empty-page.mjs';

/** A script that is loaded and says nothing. */
const SILENT = { type: 'text/javascript', body: '' };
/** Threads whose making holds up the engine's worker, as Firefox does at times, so that it hears no clock of its own. */
const HELD_UP = {
  type: 'text/javascript',
  body: "export const THREAD = 'insitu-seg thread'; export function prepareThreads() { for (;;); } export const startWorkersOf = () => prepareThreads;",
};
const NAME = 'threads';
const isBuilt = existsSync(join(root, 'pkg/wasm/threads/insitu_seg_bg.wasm'));

/** What the server gives to threads only: they are the workers of a worker. */
const toThreads = (answer) => ({ '/worker.js': ({ headers }) => (headers.referer?.endsWith('/worker.js') ? answer : undefined) });

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** Where a segmenter runs, and after how long it was ready; or the code of the error. `extra`: what the server gives instead; `script` runs first. */
async function start({ extra = {}, script = () => {}, threads } = {}) {
  const server = await serve(join(root, 'pkg'), { extra: { '/': EMPTY_PAGE, ...extra }, isolated: true });
  const page = await browser.newPage();
  page.setDefaultTimeout(180_000);
  await page.addInitScript(script);
  await page.goto(server.url);
  const found = await page.evaluate(async (threads) => {
    const { createSegmenter } = await import('/index.js');
    const begun = performance.now();
    try {
      const segmenter = await createSegmenter({ backend: 'cpu', threads, cache: false });
      const ms = performance.now() - begun;
      const { labels, report } = await segmenter.segment(await (await fetch('/samples/hippocampus/image.nii.gz')).blob());
      segmenter.dispose();
      return { ...report, labelled: labels.filter(Boolean).length, ms };
    } catch ({ code, message }) {
      return { code, message, ms: performance.now() - begun };
    }
  }, threads);
  await page.close();
  await server.close();
  return found;
}

describe(NAME, { skip: !isBuilt && cannotRun(NAME, 'build', 'pkg/wasm/threads is not built') }, () => {
  it('are none where the page is isolated and the browser has no SharedArrayBuffer', async () => {
    const { artifact, why, labelled } = await start({ script: () => delete globalThis.SharedArrayBuffer });
    assert.equal(artifact, 'cpu');
    assert.match(why, /one thread, as this browser has no memory that threads could share \(SharedArrayBuffer\)\.$/);
    assert.ok(labelled > 1000);
  });

  it('are as many as the machine runs at once, and not as many cores as the browser names', async (t) => {
    const cores = availableParallelism();
    if (cores > 8) return notRun(t, 'machine', 'it has more than 8 cores');
    const { artifact, threads, why } = await start({
      script: () => Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 16 }),
    });
    t.diagnostic(`${threads} threads on ${cores} cores, where the browser names 16`);
    assert.equal(artifact, 'threads');
    assert.ok(threads >= 2 && threads < 16, `${threads}`);
    assert.match(why, new RegExp(`uses ${threads} threads, as many as this machine runs at once \\(the browser names 16 cores\\)`));
  });

  it('are as many as were asked for', async () => {
    const { threads } = await start({ threads: 5 });
    assert.equal(threads, 5);
  });

  for (const [what, body] of [
    ['cannot be fetched', 'hang up'],
    ['is of another version', { type: 'text/javascript', body: "import { nothing } from './error.js';" }],
  ]) {
    it(`are one within seconds where the script of a thread ${what}, and that is said`, async () => {
      const { artifact, why, ms, labelled } = await start({ extra: toThreads(body), threads: 2 });
      assert.equal(artifact, 'cpu');
      assert.match(why, /one thread because threads failed to start \(A thread of the engine could not be started/);
      assert.ok(ms < 19_000, `${ms} ms`);
      assert.ok(labelled > 1000);
    });
  }
});

describe('a start without an answer', () => {
  it('is waited for once, and not twice as long', async (t) => {
    const [threads, held, engine] = await Promise.all([
      isBuilt ? start({ extra: toThreads(SILENT), threads: 2 }) : null,
      isBuilt ? start({ extra: { '/threads.js': HELD_UP }, threads: 2 }) : null,
      start({ extra: { '/worker.js': SILENT }, threads: 1 }),
    ]);
    t.diagnostic(`threads ${Math.round(threads?.ms)} ms, engine ${Math.round(engine.ms)} ms`);
    if (threads)
      assert.match(threads.why, /one thread because threads failed to start \(The engine's 2 threads did not start within 20 s\)/);
    if (held) assert.match(held.why, /one thread because threads failed to start \(The engine's 2 threads did not start within 30 s\)/);
    if (held) assert.ok(held.labelled > 1000);
    if (threads) assert.ok(threads.ms < 38_000, `${threads.ms} ms`);
    assert.equal(engine.code, 'internal');
    assert.match(engine.message, /did not start: its worker said nothing/);
    assert.ok(engine.ms < 38_000, `${engine.ms} ms`);
  });
});
