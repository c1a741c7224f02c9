/** The package as plain static files, without a bundler: what a developer calls, in Node and in Chromium. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { asMgz } from './mgh.mjs';
import { asNineDimensional, asPair, headerOf } from './nifti.mjs';
import { packagePage, SAMPLE } from './package-page.mjs';

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
  const at = packagePage();

  it('runs the JavaScript of the README as it stands there', async () => {
    const [, code] = /```js\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'));
    const body = code.replace(/^import (.*) from 'insitu-seg';$/m, "const $1 = await import('/index.js');");
    assert.notEqual(body, code);
    const mask = await at.page.evaluate(`(async () => { const file = new File([t.bytes], 'a.nii.gz'); ${body}; return mask.length; })()`);
    assert.ok(mask > 352);
  });

  it('checkSupport names the adapter and its limits', async () => {
    const support = await at.page.evaluate(async () => (await import('/index.js')).checkSupport());
    assert.equal(support.webgpu, true);
    assert.equal(support.adapter.software, true);
    assert.equal(support.recommended, 'cpu');
    assert.ok(support.limits.maxBufferSize > 0);
    assert.equal(support.simd, true);
  });

  it('inspects and segments, and the bytes of the caller stay the caller’s', async () => {
    const found = await at.page.evaluate(async () => {
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
    const [pair, single] = await at.page.evaluate(
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
    const [mgz, nifti] = await at.page.evaluate(
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

  it('reads a large file in pieces, in a worker, as it reads its bytes in the calling thread', async () => {
    const found = await at.page.evaluate(
      async (start) => {
        // Noise over several pieces of 4 MiB, plain and packed.
        const [dims, voxels] = [[200, 180, 150], new Int16Array(200 * 180 * 150)];
        voxels.forEach((_, i) => (voxels[i] = Math.imul(i, 0x9e3779b1) >>> 16));
        const header = t.fromBase64(start);
        dims.forEach((n, i) => new DataView(header.buffer).setInt16(42 + 2 * i, n, true));
        const plain = new Blob([header, voxels]);
        const packed = await new Response(plain.stream().pipeThrough(new CompressionStream('gzip'))).blob();
        const inline = await t.createSegmenter({ backend: 'cpu', worker: false });
        const all = [];
        for (const file of [plain, packed, packed.slice(0, -9)]) {
          for (const engine of [t.segmenter, inline]) {
            const read = await engine.read(file).catch(({ code, message }) => ({ code, message }));
            const info = await engine.inspect(file).catch(({ code }) => code);
            all.push(read.values ? [read.values.every((value, i) => value === voxels[i]), info.max] : [read.code, read.message, info]);
          }
        }
        inline.dispose();
        return { all, bytes: [plain.size, packed.size] };
      },
      base64(headerOf(sample)),
    );
    assert.ok(Math.min(...found.bytes) > 2 * 2 ** 22, found.bytes.join());
    assert.deepEqual(found.all.slice(0, 4), Array(4).fill([true, 32767]));
    const [worker, thread] = found.all.slice(4);
    assert.match(worker.join(), /^malformed,.*gzip/);
    assert.deepEqual(worker, thread);
  });

  it('names the file that was changed since it was chosen', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'insitu-changed-')), 'scan.nii.gz');
    writeFileSync(path, sample);
    await at.page.evaluate(() => document.body.append(Object.assign(document.createElement('input'), { type: 'file' })));
    await at.page.locator('input').setInputFiles(path);
    // Chromium notes the time of change when a file is first asked about, and not when it is chosen.
    await at.page.evaluate(() => {
      t.chosen = document.querySelector('input').files[0];
      return [t.chosen.size, t.chosen.lastModified];
    });
    writeFileSync(path, Buffer.concat([sample, sample]));
    // Chromium compares times of change in whole seconds, so a change within the same one would not count.
    utimesSync(path, new Date(), new Date(Date.now() + 60_000));
    for (const call of ['inspect', 'segment', 'plan']) {
      const refusal = await at.page.evaluate((call) => t.refusal(t.segmenter[call](t.chosen)), call);
      assert.deepEqual(
        [refusal.code, refusal.message],
        ['io', 'The file scan.nii.gz could not be read: it was moved or changed since it was chosen.'],
      );
    }
  });

  it('measures every stage, and the browser’s own record has the last run', async () => {
    const { measures, timings } = await at.page.evaluate(async () => (await t.segmenter.segment(t.bytes)).report);
    const names = measures.map(({ name }) => name);
    assert.deepEqual([names[0], names.at(-1), new Set(names).size], ['read', 'write', new Set(timings.map(({ stage }) => stage)).size + 2]);
    measures.forEach(({ start, ms }, i) =>
      assert.ok(i === 0 ? start === 0 : Math.abs(start - measures[i - 1].start - measures[i - 1].ms) < 0.3, `${start} ${ms}`),
    );
    const inWorker = () => performance.getEntriesByType('measure').map(({ name }) => name);
    const recorded = (await Promise.all(at.page.workers().map((worker) => worker.evaluate(inWorker)))).flat();
    assert.deepEqual(
      recorded,
      names.map((name) => `insitu-seg ${name}`),
    );
  });

  it('refuses a header with its checks, from the worker and from the calling thread', async () => {
    const errors = await at.page.evaluate(
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
    const same = await at.page.evaluate(async () => {
      const inline = await t.createSegmenter({ backend: 'cpu', worker: false });
      const [a, b] = [await inline.segment(t.bytes), await t.segmenter.segment(new Blob([t.bytes]))];
      inline.dispose();
      return a.labels.length > 0 && a.labels.every((label, i) => label === b.labels[i]);
    });
    assert.ok(same);
  });

  it('queues two runs; aborting the second leaves the first alone', async () => {
    const [first, second] = await at.page.evaluate(async () => {
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
    const { ms, whole, refused, next } = await at.page.evaluate(async () => {
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
    const { plan, left } = await at.page.evaluate(async () => ({
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
    const found = await at.page.evaluate(() => t.benchmark({ base: 4, size: [24, 16, 8], train: true, backend: 'cpu', runs: 2 }));
    assert.ok(
      found.forwardMs > 0 && found.trainMs > 0 && found.trainPeakBytes > 0 && found.gflops > 0 && found.peakBytes > 0,
      JSON.stringify(found),
    );
    assert.deepEqual([found.backend, found.threads], ['cpu', 1]);
  });
});
