/**
 * What the engine keeps, stops, agrees on and foretells, on the CPU and on WebGPU, in a page that imports /index.js.
 * INSITU_LONG=1: all 50 volumes on the GPU too, which an emulated one takes minutes for.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { besideThePackage } from './empty-page.mjs';
import { cropped } from './nifti.mjs';

const SAMPLE = '/samples/hippocampus/image.nii.gz';
const BACKENDS = ['cpu', 'webgpu'];
const RUNS = { cpu: 50, webgpu: process.env.INSITU_LONG ? 50 : 10 };
const MIB = 2 ** 20;

const crop = cropped(readFileSync(join(root, 'pkg', SAMPLE)), [5, 12, 5], 24).toString('base64');

const beside = besideThePackage();

/** A page of its own with what the tests need under window.t. */
async function open() {
  const page = await beside.browser.newPage();
  await page.goto(beside.server.url);
  await page.evaluate(
    async ([sample, crop]) => {
      const { createSegmenter } = await import('/index.js');
      const bytes = new Uint8Array(await (await fetch(sample)).arrayBuffer());
      window.t = { createSegmenter, bytes, crop: Uint8Array.from(atob(crop), (c) => c.charCodeAt(0)) };
    },
    [SAMPLE, crop],
  );
  return page;
}

/** What is held after each run, but the first three, must be what was held after the third. */
function assertFlat(t, what, held) {
  const [, , third] = held;
  t.diagnostic(`${what}: ${held.slice(0, 3).join(', ')} bytes after the first three of ${held.length} runs, ${held.at(-1)} after the last`);
  assert.ok(third > 0, `${what}: ${third} bytes`);
  assert.deepEqual(
    held.slice(3).filter((bytes) => bytes !== third),
    [],
    `${what}: ${held}`,
  );
}

describe('volumes in a row', () => {
  it(`(${RUNS.cpu}) leave the memory of the CPU’s engine as it is after the third`, async (t) => {
    const page = await open();
    const reports = await page.evaluate(async (runs) => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const reports = [];
      for (let i = 0; i < runs; i++) reports.push((await segmenter.segment(t.crop)).report);
      return reports;
    }, RUNS.cpu);
    await page.close();
    assert.ok(
      reports.every(({ timings }) => timings.some(({ stage }) => stage === 'patch')),
      JSON.stringify(reports[0].timings),
    );
    assertFlat(
      t,
      'wasm',
      reports.map(({ wasmBytes }) => wasmBytes),
    );
  });

  it(`(${RUNS.webgpu}) leave the memory of WebGPU’s engine, and the buffers of the GPU, as they are after the third`, async (t) => {
    const page = await open();
    const { alive, counts, wasm } = await page.evaluate(async (runs) => {
      const sizes = new Map();
      const { createBuffer } = GPUDevice.prototype;
      GPUDevice.prototype.createBuffer = function (...args) {
        const buffer = createBuffer.apply(this, args);
        sizes.set(buffer, buffer.size);
        return buffer;
      };
      const { destroy } = GPUBuffer.prototype;
      GPUBuffer.prototype.destroy = function () {
        sizes.delete(this);
        return destroy.call(this);
      };
      const segmenter = await t.createSegmenter({ backend: 'webgpu', worker: false });
      const [alive, counts, wasm] = [[], [], []];
      for (let i = 0; i < runs; i++) {
        const { report } = await segmenter.segment(t.crop);
        alive.push([...sizes.values()].reduce((sum, size) => sum + size, 0));
        counts.push(sizes.size);
        wasm.push(report.wasmBytes);
      }
      return { alive, counts, wasm };
    }, RUNS.webgpu);
    await page.close();
    t.diagnostic(`${counts.at(-1)} buffers`);
    assertFlat(t, 'GPU', alive);
    assertFlat(t, 'wasm', wasm);
  });
});

describe('a run', () => {
  for (const backend of BACKENDS) {
    it(`is stopped in the middle long before its end, and the next one gives the same mask (${backend})`, async (t) => {
      const page = await open();
      const { stopped, ms, whole, at, same, alive } = await page.evaluate(async (backend) => {
        const segmenter = await t.createSegmenter({ backend });
        const { labels: before } = await segmenter.segment(t.bytes);
        const control = new AbortController();
        let at;
        let aborted;
        const onProgress = ({ stage, done, total }) => {
          if (at || stage !== 'patch' || done < 0.3 * total) return;
          at = `${stage} ${done}`;
          aborted = performance.now();
          control.abort();
        };
        const stopped = await segmenter.segment(t.bytes, { signal: control.signal, onProgress }).then(
          () => 'no',
          ({ code }) => code,
        );
        const ms = performance.now() - aborted;
        const again = performance.now();
        const { labels: next } = await segmenter.segment(t.bytes);
        const whole = performance.now() - again;
        return { stopped, ms, whole, at, same: next.every((label, i) => label === before[i]), alive: next.some((label) => label > 0) };
      }, backend);
      await page.close();
      t.diagnostic(`stopped at ${at} in ${ms.toFixed(1)} ms, where a run takes ${whole.toFixed(0)}`);
      assert.equal(stopped, 'cancelled');
      assert.ok(ms < 0.4 * whole, `${ms} ms of ${whole}`);
      assert.ok(same && alive);
    });
  }

  it('gives the same mask on the CPU and on WebGPU, but for one voxel in 10,000', async (t) => {
    const page = await open();
    const { voxels, foreground, differ } = await page.evaluate(async () => {
      const masks = [];
      for (const backend of ['cpu', 'webgpu']) {
        const segmenter = await t.createSegmenter({ backend });
        masks.push((await segmenter.segment(t.bytes)).labels);
        segmenter.dispose();
      }
      const [a, b] = masks;
      return { voxels: a.length, foreground: a.filter(Boolean).length, differ: a.filter((label, i) => label !== b[i]).length };
    });
    await page.close();
    t.diagnostic(`${differ} of ${voxels} voxels differ; the CPU calls ${foreground} foreground`);
    assert.ok(foreground > 100);
    assert.ok(differ <= voxels / 10_000);
  });
});

describe('a plan', () => {
  const head = readFileSync(join(root, 'www/samples/head/image.nii.gz')).toString('base64');
  for (const [backend, kind, given] of [
    ['cpu', 'a crop', null],
    ['cpu', 'a head', head],
    ['webgpu', 'a crop', null],
  ])
    it(`of ${kind} is within a factor of two of what the networks then take (${backend}, median of three)`, async (t) => {
      const page = await open();
      const runs = await page.evaluate(
        async ([backend, given]) => {
          const bytes = given ? Uint8Array.from(atob(given), (c) => c.charCodeAt(0)) : t.bytes;
          const segmenter = await t.createSegmenter({ backend });
          const runs = [];
          for (let i = 0; i < 3; i++) {
            const plan = await segmenter.plan(bytes);
            const { timings, boxes } = await segmenter.segment(bytes);
            runs.push({ plan, timings, boxes });
          }
          return runs;
        },
        [backend, given],
      );
      await page.close();
      const factors = runs.map(({ plan, timings, boxes }) => {
        const taken = timings.filter(({ stage }) => ['whole', 'patch'].includes(stage)).reduce((sum, { ms }) => sum + ms, 0) / 1000;
        t.diagnostic(
          `planned ${plan.seconds.toFixed(2)} s for ${plan.dims}, taken ${taken.toFixed(2)} s (${JSON.stringify(timings)}); ${(plan.peakBytes / MIB).toFixed(1)} MiB; ${JSON.stringify(boxes)}`,
        );
        assert.equal(plan.backend, backend);
        assert.ok(plan.peakBytes > 0);
        return plan.seconds / taken;
      });
      const factor = factors.toSorted((a, b) => a - b)[1];
      assert.ok(factor > 1 / 2 && factor < 2, `planned seconds by those taken: ${factors.map((f) => f.toFixed(2))}`);
    });
});
