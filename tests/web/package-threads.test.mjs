/** The package on the CPU's threads, in a page that may have them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { cannotRun, notRun } from '../not-run.mjs';
import { launch, serve } from './browser.mjs';
import { EMPTY_PAGE } from './empty-page.mjs';

const SAMPLE = '/samples/hippocampus/image.nii.gz';
const threadsBuilt = existsSync(join(root, 'pkg/wasm/threads/insitu_seg_bg.wasm'));

const ISOLATED = 'in a page that is cross-origin isolated';

describe(ISOLATED, { skip: !threadsBuilt && cannotRun(ISOLATED, 'build', 'pkg/wasm/threads is not built') }, () => {
  let server;
  let browser;
  let page;
  before(async () => {
    server = await serve(join(root, 'pkg'), { extra: { '/': EMPTY_PAGE }, isolated: true });
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.url);
    await page.evaluate(async (sample) => {
      const { benchmark, checkSupport, createSegmenter } = await import('/index.js');
      const bytes = new Uint8Array(await (await fetch(sample)).arrayBuffer());
      /** Where a segmenter of these options runs, and its answer. */
      const run = async (options) => {
        const segmenter = await createSegmenter({ backend: 'cpu', ...options });
        const { labels, report } = await segmenter.segment(bytes);
        segmenter.dispose();
        return { labels, report };
      };
      window.t = { benchmark, checkSupport, createSegmenter, bytes, run };
    }, SAMPLE);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  it('runs on threads and fetches no other engine', async () => {
    const { report, canRelax } = await page.evaluate(async () => {
      const { report } = await t.run({ threads: 2 });
      return { report, canRelax: (await t.checkSupport()).relaxedSimd };
    });
    const { artifact, backend, threads, relaxedSimd, why } = report;
    assert.deepEqual([artifact, backend, threads, relaxedSimd], ['threads', 'cpu', 2, canRelax]);
    assert.match(why, /2 threads/);
    const fetched = server.requests.filter((path) => path.endsWith('.wasm'));
    assert.deepEqual(fetched, [`/wasm/threads${canRelax ? '-relaxed' : ''}/insitu_seg_bg.wasm`]);
  });

  it('gives the same labels on threads as on one, which is another engine', async () => {
    const { same, artifacts } = await page.evaluate(async () => {
      const [a, b] = [await t.run({ threads: 3 }), await t.run({ threads: 1 })];
      return {
        same: a.labels.length > 0 && a.labels.every((label, i) => label === b.labels[i]),
        artifacts: [a, b].map(({ report }) => report.artifact),
      };
    });
    assert.deepEqual(artifacts, ['threads', 'cpu']);
    assert.ok(same);
  });

  it('gives the same labels with relaxed SIMD as without, but for one voxel in 10,000', async (t) => {
    const { share, relaxed } = await page.evaluate(async () => {
      const [a, b] = [await t.run({ threads: 2 }), await t.run({ threads: 2, relaxedSimd: false })];
      const equal = a.labels.filter((label, i) => label === b.labels[i]).length;
      return { share: equal / a.labels.length, relaxed: [a, b].map(({ report }) => report.relaxedSimd) };
    });
    if (!relaxed[0]) return notRun(t, 'browser', 'this browser has no relaxed SIMD');
    assert.deepEqual(relaxed, [true, false]);
    assert.ok(share >= 0.9999, `${100 * share} % of the voxels are the same`);
  });

  it('does without relaxed SIMD where its sums are wrong, and says so', async () => {
    const other = await browser.newPage();
    // In place of the module whose sums are fused one that fails its known answer.
    await other.route('**/wasm/*-relaxed/insitu_seg.js', async (route) => {
      const response = await route.fetch();
      const wrong = "Object.assign(new Error('vectors of the CPU: found products that are off'), { code: 'device' })";
      const body = (await response.text()).replace(/export function checkVectors\(\) \{/, (line) => `${line} throw ${wrong};`);
      return route.fulfill({ response, body });
    });
    await other.goto(server.url);
    const { artifact, relaxedSimd, why, labels } = await other.evaluate(async () => {
      const { createSegmenter } = await import('/index.js');
      const bytes = new Uint8Array(await (await fetch('/samples/hippocampus/image.nii.gz')).arrayBuffer());
      const segmenter = await createSegmenter({ backend: 'cpu', threads: 2 });
      const { labels } = await segmenter.segment(bytes);
      const { artifact, relaxedSimd, why } = segmenter;
      return { artifact, relaxedSimd, why, labels: labels.filter(Boolean).length };
    });
    await other.close();
    assert.deepEqual([artifact, relaxedSimd], ['threads', false]);
    assert.match(why, /without relaxed SIMD because it failed to start \(vectors of the CPU/);
    assert.ok(labels > 1000);
  });

  it('says how many threads there are, which is one for each core', async () => {
    const { cores, support, threads } = await page.evaluate(async () => {
      const { report } = await t.run();
      return { cores: navigator.hardwareConcurrency, support: await t.checkSupport(), threads: report.threads };
    });
    assert.equal(support.threads, cores > 1);
    assert.equal(threads, Math.min(cores, 16));
  });

  it('has no threads in the calling thread, and says why', async () => {
    const { artifact, threads, why } = await page.evaluate(async () => (await t.run({ threads: 2, worker: false })).report);
    assert.deepEqual([artifact, threads], ['cpu', 1]);
    assert.match(why, /one thread, as the calling thread cannot wait/);
  });

  it('stops threads in the middle, and the next run works', async () => {
    const { code, ms, whole, artifact } = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu', threads: 2 });
      const control = new AbortController();
      let aborted;
      const onProgress = () => {
        aborted ??= performance.now();
        control.abort();
      };
      const code = await segmenter.segment(t.bytes, { signal: control.signal, onProgress }).catch(({ code }) => code);
      const ms = performance.now() - aborted;
      const again = performance.now();
      const { report } = await segmenter.segment(t.bytes);
      const whole = performance.now() - again;
      segmenter.dispose();
      return { code, ms, whole, artifact: report.artifact };
    });
    assert.equal(code, 'cancelled');
    assert.ok(ms < 0.5 * whole, `${ms} ms of ${whole}`);
    assert.equal(artifact, 'threads');
  });

  it('measures and plans on threads', async () => {
    const { found, plan } = await page.evaluate(async () => {
      const found = await t.benchmark({ base: 4, size: [24, 16, 8], backend: 'cpu', threads: 2, runs: 2 });
      const segmenter = await t.createSegmenter({ backend: 'cpu', threads: 2 });
      const plan = await segmenter.plan(t.bytes);
      segmenter.dispose();
      return { found, plan };
    });
    assert.ok(found.forwardMs > 0 && found.gflops > 0, JSON.stringify(found));
    assert.deepEqual([found.backend, found.threads], ['cpu', 2]);
    assert.ok(plan.seconds > 0 && plan.peakBytes > 0, JSON.stringify(plan));
  });

  it('runs on one thread where the engine with threads cannot be had, and says why', async () => {
    const lost = await serve(join(root, 'pkg'), {
      extra: {
        '/': EMPTY_PAGE,
        '/wasm/threads/insitu_seg_bg.wasm': EMPTY_PAGE,
        '/wasm/threads-relaxed/insitu_seg_bg.wasm': EMPTY_PAGE,
      },
      isolated: true,
    });
    const other = await browser.newPage();
    await other.goto(lost.url);
    const { artifact, why } = await other.evaluate(async () => {
      const { createSegmenter } = await import('/index.js');
      const { artifact, why } = await createSegmenter({ backend: 'cpu', threads: 2 });
      return { artifact, why };
    });
    await other.close();
    await lost.close();
    assert.equal(artifact, 'cpu');
    assert.match(why, /^The CPU uses one thread because threads failed to start \(.*a web page instead.*\)\.$/);
  });
});
