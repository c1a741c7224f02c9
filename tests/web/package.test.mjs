/** The package as plain static files, without a bundler: what a developer calls, in Node and in Chromium. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { cannotRun } from '../not-run.mjs';
import { launch, serve } from './browser.mjs';
import { asMgz } from './mgh.mjs';
import { asNineDimensional, asPair } from './nifti.mjs';

const EMPTY_PAGE = '<!doctype html><html lang="en"><title>empty</title><link rel="icon" href="data:,"></html>';
const SAMPLE = '/samples/hippocampus/image.nii.gz';
const sample = readFileSync(join(root, 'pkg', SAMPLE));
const base64 = (bytes) => Buffer.from(bytes).toString('base64');

describe('in Node', () => {
  it('imports without a browser, and says in words what is missing', async () => {
    const { checkSupport, createSegmenter, InsituError } = await import('insitu-seg');
    const support = await checkSupport();
    assert.equal(support.recommended, 'cpu');
    assert.match(support.reasons[0], /^WebGPU: /);
    await assert.rejects(createSegmenter({ backend: 'gpu' }), (error) => error instanceof InsituError && error.code === 'argument');
  });

  for (const maxBytes of [0, -1, NaN, Infinity, '2', null]) {
    it(`refuses a memory budget of ${typeof maxBytes === 'string' ? 'a string' : maxBytes} as 'argument'`, async () => {
      const { createSegmenter } = await import('insitu-seg');
      await assert.rejects(createSegmenter({ maxBytes }), { name: 'InsituError', code: 'argument' });
    });
  }
});

describe('in a page that imports /index.js', () => {
  let server;
  let browser;
  let page;
  before(async () => {
    server = await serve(join(root, 'pkg'), { extra: { '/': EMPTY_PAGE, '/lost/wasm/cpu/insitu_seg_bg.wasm': EMPTY_PAGE } });
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.url);
    // What every test below needs, under window.t.
    await page.evaluate(async (sample) => {
      const { benchmark, createSegmenter } = await import('/index.js');
      const bytes = new Uint8Array(await (await fetch(sample)).arrayBuffer());
      const refusal = (promise) =>
        promise.then(
          () => null,
          ({ name, code, message, checks }) => ({ name, code, message, checks }),
        );
      const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      window.t = { benchmark, createSegmenter, bytes, refusal, fromBase64, segmenter: await createSegmenter({ backend: 'cpu' }) };
    }, SAMPLE);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  it('runs the JavaScript of the README as it stands there', async () => {
    const [, code] = /```js\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'));
    const body = code.replace(/^import (.*) from 'insitu-seg';$/m, "const $1 = await import('/index.js');");
    assert.notEqual(body, code);
    const mask = await page.evaluate(`(async () => { const file = new File([t.bytes], 'a.nii.gz'); ${body}; return mask.length; })()`);
    assert.ok(mask > 352);
  });

  it('checkSupport names the adapter and its limits', async () => {
    const support = await page.evaluate(async () => (await import('/index.js')).checkSupport());
    assert.equal(support.webgpu, true);
    assert.equal(support.adapter.software, true);
    assert.equal(support.recommended, 'cpu');
    assert.ok(support.limits.maxBufferSize > 0);
    assert.equal(support.simd, true);
  });

  it('inspects and segments, and the bytes of the caller stay the caller’s', async () => {
    const found = await page.evaluate(async () => {
      const stages = new Set();
      const info = await t.segmenter.inspect(t.bytes);
      const result = await t.segmenter.segment(t.bytes, {
        onProgress: ({ stage, done, total }) => stages.add(`${stage} ${done <= total}`),
      });
      const { dims, classes, labels, report } = result;
      const voxels = classes.reduce((sum, c) => sum + c.voxels, 0);
      return {
        info,
        dims,
        voxels,
        size: labels.length,
        isBytes: labels instanceof Uint8Array,
        report,
        stages: [...stages],
        left: t.bytes.length,
        gzip: [...result.toNifti().slice(0, 2)],
        nrrd: new TextDecoder().decode(result.toNrrd().slice(0, 8)),
        csv: result.toCsv(),
      };
    });
    assert.deepEqual(found.info.dims, found.dims);
    assert.equal(
      found.size,
      found.dims.reduce((a, b) => a * b),
    );
    assert.ok(found.voxels <= found.size);
    assert.ok(found.isBytes);
    assert.ok(found.stages.length >= 2 && found.stages.every((stage) => stage.endsWith(' true')), found.stages.join());
    assert.ok(found.left > 0, 'the array was detached');
    assert.deepEqual(found.gzip, [0x1f, 0x8b]);
    assert.equal(found.nrrd, 'NRRD0004');
    assert.ok(found.csv.includes(','));
    assert.equal(found.report.backend, 'cpu');
    assert.equal(found.report.orientation, found.info.orientation);
    assert.match(found.report.sides, /^x runs from .* to .*, y from .* to .*, z from .* to .*$/);
  });

  it('inspects a pair as the same image in one file', async () => {
    const { hdr, img } = asPair(sample);
    const [pair, single] = await page.evaluate(
      ([hdr, img]) =>
        Promise.all([{ hdr: t.fromBase64(hdr), img: new Blob([t.fromBase64(img)]) }, t.bytes].map((input) => t.segmenter.inspect(input))),
      [hdr, img].map(base64),
    );
    assert.deepEqual([pair.pair, single.pair], [true, false]);
    assert.equal(pair.channels, 1);
    const facts = ({ pair, checks, ...rest }) => rest;
    assert.deepEqual(facts(pair), facts(single));
  });

  it('inspects, reads and segments an .mgz as the same image in NIfTI', async () => {
    const [mgz, nifti] = await page.evaluate(
      async (mgz) => {
        const all = [];
        for (const input of [t.fromBase64(mgz), t.bytes]) {
          const [info, image, mask] = [await t.segmenter.inspect(input), await t.segmenter.read(input), await t.segmenter.segment(input)];
          all.push({ info, values: [...image.values], affine: image.affine, labels: [...mask.labels], on: mask.affine });
        }
        return all;
      },
      base64(asMgz(sample)),
    );
    assert.deepEqual([mgz.info.format, nifti.info.format], ['MGH', 'NIfTI-1']);
    assert.deepEqual([mgz.info.sform_code, mgz.info.qform_code], [1, 0]);
    const facts = ({ info: { format, qform_code, checks, ...info }, ...rest }) => ({ info, ...rest });
    assert.deepEqual(facts(mgz), facts(nifti));
    assert.ok(mgz.labels.some((label) => label > 0));
  });

  it('refuses a header with its checks, from the worker and from the calling thread', async () => {
    const errors = await page.evaluate(
      async (nine) => {
        const inline = await t.createSegmenter({ backend: 'cpu', worker: false });
        const errors = [await t.refusal(t.segmenter.inspect(t.fromBase64(nine))), await t.refusal(inline.inspect(t.fromBase64(nine)))];
        inline.dispose();
        return errors;
      },
      base64(asNineDimensional(sample)),
    );
    for (const { code, checks } of errors) {
      assert.equal(code, 'malformed');
      assert.ok(
        checks.some(({ severity, field, words }) => severity === 'error' && field === 'dim' && words.length > 0),
        JSON.stringify(checks),
      );
      assert.ok(checks.some(({ severity }) => severity === 'ok'));
    }
  });

  it('gives the same labels in the calling thread as in the worker', async () => {
    const same = await page.evaluate(async () => {
      const inline = await t.createSegmenter({ backend: 'cpu', worker: false });
      const [a, b] = [await inline.segment(t.bytes), await t.segmenter.segment(new Blob([t.bytes]))];
      inline.dispose();
      return a.labels.length > 0 && a.labels.every((label, i) => label === b.labels[i]);
    });
    assert.ok(same);
  });

  it('queues two runs; aborting the second leaves the first alone', async () => {
    const [first, second] = await page.evaluate(async () => {
      const control = new AbortController();
      const runs = [t.segmenter.segment(t.bytes), t.segmenter.segment(t.bytes, { signal: control.signal })].map(t.refusal);
      setTimeout(() => control.abort(), 50);
      return Promise.all(runs);
    });
    assert.equal(first, null);
    assert.equal(second.code, 'cancelled');
    assert.equal(second.name, 'AbortError');
  });

  it('aborts a running call long before its end, and the next one works', async () => {
    const { ms, whole, refused, next } = await page.evaluate(async () => {
      const control = new AbortController();
      let aborted;
      const onProgress = () => {
        aborted ??= performance.now();
        control.abort();
      };
      const refused = await t.refusal(t.segmenter.segment(t.bytes, { signal: control.signal, onProgress }));
      const ms = performance.now() - aborted;
      const again = performance.now();
      const next = await t.refusal(t.segmenter.segment(t.bytes));
      return { ms, whole: performance.now() - again, refused, next };
    });
    assert.equal(refused.code, 'cancelled');
    assert.ok(ms < 0.5 * whole, `${ms} ms of ${whole}`);
    assert.equal(next, null);
  });

  it('plans a run before any work', async () => {
    const { plan, left } = await page.evaluate(async () => ({
      plan: await t.segmenter.plan(t.bytes, { train: true }),
      left: t.bytes.length,
    }));
    assert.equal(plan.backend, 'cpu');
    assert.ok(plan.peakBytes > 1e5 && plan.seconds > 0, JSON.stringify(plan));
    assert.ok(plan.dims.length === 3 && plan.dims.every((side) => side >= 8), JSON.stringify(plan));
    const { patch, peakBytes } = plan.training;
    assert.ok(patch.every((side) => side >= 48 && side % 8 === 0) && peakBytes > 1e6 && peakBytes <= 1.5e9, JSON.stringify(plan));
    assert.ok(left > 0, 'the array was detached');
  });

  it('measures a network with random weights', async () => {
    const found = await page.evaluate(() => t.benchmark({ base: 4, size: [24, 16, 8], train: true, backend: 'cpu', runs: 2 }));
    assert.ok(
      found.forwardMs > 0 && found.trainMs > 0 && found.trainPeakBytes > 0 && found.gflops > 0 && found.peakBytes > 0,
      JSON.stringify(found),
    );
    assert.deepEqual([found.backend, found.threads], ['cpu', 1]);
  });

  const network = { base: 4, size: [8, 8, 8], backend: 'cpu' };
  const refusedBenchmarks = {
    'a side of 0': ['argument', { ...network, size: [8, 0, 8] }],
    'a side below 8': ['argument', { ...network, size: [8, 7, 8] }],
    'half a voxel': ['argument', { ...network, size: [8, 8.5, 8] }],
    'two sides': ['argument', { ...network, size: [8, 8] }],
    'no size': ['argument', { base: 4 }],
    'a base of 0': ['argument', { ...network, base: 0 }],
    'a base over 256': ['argument', { ...network, base: 257 }],
    'no runs': ['argument', { ...network, runs: 0 }],
    'an unknown backend': ['argument', { ...network, backend: 'tpu' }],
    'half a thread': ['argument', { ...network, threads: 0.5 }],
  };
  for (const [what, [code, options]] of Object.entries(refusedBenchmarks)) {
    it(`refuses to measure ${what} as '${code}'`, async () => {
      const error = await page.evaluate((options) => t.refusal(t.benchmark(options)), options);
      assert.equal(error?.code, code, error?.message);
      assert.match(error.message, /^[^\n]+\.$/);
    });
  }

  const refusals = {
    'half a pair': ['argument', () => t.refusal(t.segmenter.segment({ hdr: new Blob() }))],
    'an empty pair': ['malformed', () => t.refusal(t.segmenter.segment({ hdr: new Blob(), img: new Blob() }))],
    'an image over the memory budget': [
      'limit',
      async () => {
        const small = await t.createSegmenter({ backend: 'cpu', maxBytes: 1000 });
        return t.refusal(small.inspect(t.bytes)).finally(() => small.dispose());
      },
    ],
    'a number for an image': ['argument', () => t.refusal(t.segmenter.segment(7))],
    'a text for an image': ['malformed', () => t.refusal(t.segmenter.segment(new TextEncoder().encode('no image'.repeat(100))))],
    'a signal that is already aborted': ['cancelled', () => t.refusal(t.segmenter.segment(t.bytes, { signal: AbortSignal.abort() }))],
    'a web page where the wasm should be': ['io', () => t.refusal(t.createSegmenter({ backend: 'cpu', assets: '/lost' }))],
    'a model that is not there': ['io', () => t.refusal(t.createSegmenter({ backend: 'cpu', model: 'pancreas' }))],
    'a card that is no card': [
      'malformed',
      () => t.refusal(t.createSegmenter({ backend: 'cpu', model: [new TextEncoder().encode('{}')] })),
    ],
    'files without a card': [
      'argument',
      () => t.refusal(t.createSegmenter({ backend: 'cpu', model: { 'a.safetensors': new Uint8Array(9) } })),
    ],
    'files of half a model': [
      'argument',
      async () => {
        const card = new Uint8Array(await (await fetch('/models/hippocampus/model.json')).arrayBuffer());
        return t.refusal(t.createSegmenter({ backend: 'cpu', model: { 'model.json': card } }));
      },
    ],
    'a missing weight file': [
      'argument',
      async () => {
        const card = new Uint8Array(await (await fetch('/models/hippocampus/model.json')).arrayBuffer());
        return t.refusal(t.createSegmenter({ backend: 'cpu', model: [card] }));
      },
    ],
  };
  for (const [what, [code, attempt]] of Object.entries(refusals)) {
    it(`refuses ${what} as '${code}'`, async () => {
      const error = await page.evaluate(attempt);
      assert.equal(error?.code, code, error?.message);
      assert.match(error.message, /\.$/);
    });
  }
});

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
    const { artifact, backend, threads, why } = await page.evaluate(async () => (await t.run({ threads: 2 })).report);
    assert.deepEqual([artifact, backend, threads], ['threads', 'cpu', 2]);
    assert.match(why, /2 threads/);
    const fetched = server.requests.filter((path) => path.endsWith('.wasm'));
    assert.deepEqual(fetched, ['/wasm/threads/insitu_seg_bg.wasm']);
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
      extra: { '/': EMPTY_PAGE, '/wasm/threads/insitu_seg_bg.wasm': EMPTY_PAGE },
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
