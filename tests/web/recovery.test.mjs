/** What the whole browser does to a run: its GPU process killed again and again, memory refused, and what a person sees meanwhile. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from './browser.mjs';
import { cropped } from './nifti.mjs';

const EMPTY_PAGE = '<!doctype html><html lang="en"><title>recovery</title><link rel="icon" href="data:,"></html>';
const sample = readFileSync(join(root, 'pkg/samples/hippocampus/image.nii.gz'));
const KILLS = 5;

let server;
before(async () => {
  const extra = { '/': EMPTY_PAGE, '/inject.js': { type: 'text/javascript', body: readFileSync(join(root, 'tests/faults/inject.js')) } };
  extra['/crop.nii.gz'] = { type: 'application/octet-stream', body: cropped(sample, [5, 12, 5], 24) };
  server = await serve(join(root, 'pkg'), { extra });
});
after(() => server?.close());

async function open(browser, { hardware = false } = {}) {
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.evaluate(async (hardware) => {
    if (hardware) (await import('/inject.js')).pretendHardware();
    const core = await import('/index.js');
    const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
    window.t = { ...core, crop: await bytes('/crop.nii.gz'), sample: await bytes('/samples/hippocampus/image.nii.gz') };
  }, hardware);
  return page;
}

/** Kills the process in which this browser does what it does on the GPU. */
async function killGpuProcess(browser) {
  const cdp = await browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const gpu = processInfo.find(({ type }) => type === 'GPU');
  assert.ok(gpu, 'there is no GPU process');
  process.kill(gpu.id, 'SIGKILL');
  await cdp.detach();
}

describe('a GPU process that is killed', () => {
  it(`${KILLS} times in one session, in the middle of a run, leaves the mask of the CPU and no silence`, async (t) => {
    const browser = await launch({ more: ['--disable-gpu-process-crash-limit'] });
    const page = await open(browser, { hardware: true });
    await page.exposeFunction('killGpu', () => killGpuProcess(browser));
    const expected = await page.evaluate(async () => {
      window.gpu = await t.createSegmenter({ backend: 'auto' });
      const cpu = await t.createSegmenter({ backend: 'cpu' });
      const { labels } = await cpu.segment(t.crop);
      cpu.dispose();
      window.expected = labels;
      return { backend: gpu.backend, labelled: labels.filter(Boolean).length };
    });
    assert.equal(expected.backend, 'webgpu');
    assert.ok(expected.labelled > 100);
    for (let i = 0; i < KILLS; i++) {
      const { differ, backend, recoveries, silence, ms } = await page.evaluate(async () => {
        let [killed, heard, silence, recoveries] = [null, performance.now(), 0, []];
        const started = heard;
        const onProgress = ({ stage, done, reason }) => {
          silence = Math.max(silence, performance.now() - heard);
          heard = performance.now();
          if (reason) recoveries.push(`${Math.round(performance.now() - started)} ms: ${reason}`);
          if (stage === 'patch' && done > 0) killed ??= killGpu();
        };
        const { labels, report } = await gpu.segment(t.crop, { onProgress });
        await killed;
        return { differ: labels.filter((label, i) => label !== expected[i]).length, backend: report.backend, recoveries, silence, ms: performance.now() - started };
      });
      t.diagnostic(`kill ${i + 1}: ${recoveries.length} new tries (${recoveries.join(" ")}), a mask on ${backend} after ${(ms / 1000).toFixed(1)} s, ${differ} voxels differ from the CPU's`);
      assert.ok(recoveries.length > 0, 'the kill came too late');
      assert.ok(differ <= 1, `${differ} voxels differ`);
      assert.ok(silence < 15_000, `${silence} ms without news`);
    }
    await browser.close();
  });
});

describe('memory', () => {
  it('that the browser refuses is said as ‘limit’, and a smaller image works', async () => {
    const browser = await launch({ webgpu: false, more: ['--js-flags=--wasm-max-mem-pages=640'] });
    const page = await open(browser);
    const { refused, next } = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const refused = await segmenter.segment(t.sample).then(() => null, ({ code, message }) => ({ code, message }));
      const next = await segmenter.segment(t.crop).then(({ labels }) => labels.filter(Boolean).length, ({ message }) => message);
      return { refused, next };
    });
    await browser.close();
    assert.equal(refused?.code, 'limit', refused?.message);
    assert.match(refused.message, /memory/);
    assert.ok(next > 100, String(next));
  });
});
