/** The process in which the browser does what it does on the GPU, killed in the middle of runs. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { assertMask, open, withBrowser } from './run.mjs';

/** A browser whose GPU process dies often gives up the GPU, for the page at hand or for all; not with these. */
const NO_LIMIT = ['--disable-gpu-process-crash-limit', '--disable-domain-blocking-for-3d-apis'];
/** Adapters are refused for a while after a process died; a new segmenter waits for that. */
const ADAPTER_MS = 60_000;

export const testKills = (count) =>
  withBrowser('a GPU process that is killed', NO_LIMIT, () => {
    it(`${count} times in one session, each in the middle of a run, leaves the mask of a clean run, and no silence`, async (t) => {
      const page = await open({ hardware: true });
      await page.exposeFunction('killGpu', () => killGpuProcess(page.context().browser()));
      for (let i = 0; i < count; i++) {
        const { result, reasons, silence, ms } = await page.evaluate(runAndKill, ADAPTER_MS);
        t.diagnostic(`kill ${i + 1}: a mask on ${result.backend} after ${(ms / 1000).toFixed(1)} s; ${reasons.join(' | ')}`);
        assert.ok(reasons.length > 0, 'the kill came too late');
        assertMask(result);
        assert.ok(silence < 15_000, `${silence} ms without news`);
      }
      await page.context().close();
    });
  });

async function killGpuProcess(browser) {
  const cdp = await browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const gpu = processInfo.find(({ type }) => type === 'GPU');
  assert.ok(gpu, 'there is no GPU process');
  process.kill(gpu.id, 'SIGKILL');
  await cdp.detach();
}

/** In the page: a run on the GPU, by the segmenter of before where it is still on it, that loses the GPU on its way. */
async function runAndKill(patience) {
  const until = performance.now() + patience;
  while (window.gpu?.backend !== 'webgpu') {
    if (performance.now() > until) throw new Error('the browser gave no adapter any more');
    window.gpu?.dispose();
    window.gpu = await t.createSegmenter({ model: '/tiny/', backend: 'auto' });
  }
  const started = performance.now();
  let [killed, heard, silence] = [null, started, 0];
  const reasons = new Set();
  const onProgress = ({ stage, done, reason }) => {
    silence = Math.max(silence, performance.now() - heard);
    heard = performance.now();
    if (reason) reasons.add(reason);
    if (stage === 'whole' && done > 0) killed ??= killGpu();
  };
  const { labels, report } = await gpu.segment(t.image, { onProgress });
  await killed;
  return {
    result: { labels: Array.from(labels), backend: report.backend },
    reasons: [...reasons],
    silence,
    ms: performance.now() - started,
  };
}
