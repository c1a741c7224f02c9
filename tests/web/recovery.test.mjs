/** What a person feels: how long the page stands still, what two segmenters do to each other, and memory that is refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from './browser.mjs';
import { EMPTY_PAGE } from './empty-page.mjs';
import { cropped } from './nifti.mjs';
import { snippets } from './packed.mjs';

const sample = readFileSync(join(root, 'pkg/samples/hippocampus/image.nii.gz'));
const RUNS = 50;

let server;
let browser;
before(async () => {
  server = await serve(join(root, 'pkg'), {
    extra: { '/': EMPTY_PAGE, '/crop.nii.gz': { type: 'application/octet-stream', body: cropped(sample, [5, 12, 5], 24) } },
  });
  browser = await launch({ webgpu: false, more: ['--js-flags=--expose-gc', '--enable-precise-memory-info'] });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

async function open(from = browser) {
  const page = await from.newPage();
  await page.goto(server.url);
  await page.evaluate(async () => {
    const core = await import('/index.js');
    const blob = async (path) => (await fetch(path)).blob();
    const outcome = (promise) =>
      promise.then(
        ({ labels }) => labels.filter(Boolean).length,
        ({ code }) => code,
      );
    window.t = {
      ...core,
      outcome,
      crop: await blob('/crop.nii.gz'),
      sample: await blob('/samples/hippocampus/image.nii.gz'),
      truth: await blob('/samples/hippocampus/label.nii.gz'),
    };
  });
  return page;
}

describe('the main thread', () => {
  it('has no task over 50 ms while the sample is segmented and learned from', async (t) => {
    const page = await open();
    const { tasks, watched, labelled } = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const tasks = [];
      const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
      observer.observe({ type: 'longtask' });
      const { labels } = await segmenter.segment(t.sample);
      await segmenter.tune([{ image: t.sample, labels: t.truth }], { steps: 3 });
      const ours = [...tasks, ...observer.takeRecords().map(({ duration }) => duration)];
      // A task that is long, to see that it would have been noticed.
      const until = performance.now() + 80;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { tasks: ours, watched: tasks.length - ours.length, labelled: labels.filter(Boolean).length };
    });
    await page.close();
    t.diagnostic(`tasks over 50 ms: ${tasks.map((ms) => `${Math.round(ms)} ms`).join(', ') || 'none'}`);
    assert.ok(labelled > 1000 && watched >= 1);
    assert.deepEqual(tasks, []);
  });

  it(`holds as much after ${RUNS} volumes as after five`, async (t) => {
    const page = await open();
    const held = await page.evaluate(async (runs) => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const held = [];
      for (let i = 0; i < runs; i++) {
        await segmenter.segment(t.crop);
        gc();
        held.push(performance.memory.usedJSHeapSize);
      }
      segmenter.dispose();
      return held;
    }, RUNS);
    await page.close();
    const [fifth, last] = [held[4], held.at(-1)].map((bytes) => bytes / 1e6);
    t.diagnostic(`JS heap: ${fifth.toFixed(2)} MB after five runs, ${last.toFixed(2)} MB after ${RUNS}`);
    assert.ok(last < fifth + 0.5, `${fifth} MB grew to ${last} MB`);
  });
});

describe('an error', () => {
  it('is what the README shows', async () => {
    const page = await open();
    const said = [];
    // Chromium's own words, of a machine without an adapter, are warnings.
    page.on('console', (message) => message.type() === 'log' && said.push(message.text()));
    const code = snippets()['errors.js'].replace(/^import .*$/m, 'const { createSegmenter } = t;');
    await page.evaluate(`(async () => { ${code} })()`);
    await page.close();
    assert.equal(said[0], 'malformed');
    assert.match(said[1], /found .*, expected /);
  });
});

describe('two segmenters', () => {
  it('run at the same time, and neither changes the other’s mask', async () => {
    const page = await open();
    const found = await page.evaluate(async () => {
      const made = await Promise.all([t.createSegmenter({ backend: 'cpu' }), t.createSegmenter({ backend: 'cpu' })]);
      const alone = await t.outcome(made[0].segment(t.sample));
      const together = await Promise.all(
        [made[0].segment(t.sample), made[1].segment(t.sample), made[0].segment(t.crop), made[1].segment(t.crop)].map(t.outcome),
      );
      made[0].dispose();
      const after = [await t.outcome(made[0].segment(t.crop)), await t.outcome(made[1].segment(t.crop))];
      return { alone, together, after };
    });
    await page.close();
    const [whole, crop] = [found.alone, found.together[2]];
    assert.ok(whole > 1000 && crop > 100);
    assert.deepEqual(found, { alone: whole, together: [whole, whole, crop, crop], after: ['argument', crop] });
  });

  it('in the calling thread take turns on one engine', async () => {
    const page = await open();
    const found = await page.evaluate(async () => {
      const made = await Promise.all([1, 2].map(() => t.createSegmenter({ backend: 'cpu', worker: false })));
      const runs = await Promise.all(made.map((segmenter) => t.outcome(segmenter.segment(t.crop))));
      made[0].dispose();
      return [...runs, await t.outcome(made[0].segment(t.crop)), await t.outcome(made[1].segment(t.crop))];
    });
    await page.close();
    assert.ok(found[0] > 100);
    assert.deepEqual(found, [found[0], found[0], 'argument', found[0]]);
  });
});

describe('dispose', () => {
  it('in the middle ends the run as cancelled, what waits as argument, and may be called twice', async () => {
    const page = await open();
    const found = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const first = t.outcome(segmenter.segment(t.sample, { onProgress: ({ stage }) => stage === 'patch' && segmenter.dispose() }));
      const second = t.outcome(segmenter.segment(t.sample));
      const outcomes = [await first, await second];
      segmenter.dispose();
      return [...outcomes, await t.outcome(segmenter.segment(t.sample))];
    });
    await page.close();
    assert.deepEqual(found, ['cancelled', 'argument', 'argument']);
  });

  it('leaves no worker behind', async () => {
    const page = await open();
    await page.evaluate(async () => void (window.segmenter = await t.createSegmenter({ backend: 'cpu' })));
    assert.equal(page.workers().length, 2);
    await page.evaluate(() => segmenter.dispose());
    await page.waitForTimeout(500);
    assert.equal(page.workers().length, 0);
    await page.close();
  });
});

describe('memory', () => {
  it('that the browser refuses is said as ‘limit’, and a smaller image works', async (test) => {
    // Enough to start and for the crop, and too little for the sample.
    const poor = await launch({ webgpu: false, more: ['--js-flags=--wasm-max-mem-pages=1020'] });
    test.after(() => poor.close());
    const page = await open(poor);
    const { refused, next } = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const refused = await segmenter.segment(t.sample).then(
        () => null,
        ({ code, message }) => ({ code, message }),
      );
      return { refused, next: await t.outcome(segmenter.segment(t.crop)) };
    });
    assert.equal(refused?.code, 'limit', refused?.message);
    assert.match(refused.message, /memory/);
    assert.ok(next > 100, String(next));
  });
});
