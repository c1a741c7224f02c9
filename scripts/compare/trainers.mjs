#!/usr/bin/env node
/**
 * A training step on WebGPU by the engine's own trainer and by burn's autodiff and optimiser on the same kernels, by turns in one
 * headless Chromium:
 *
 *   node pkg/build.mjs burn && node scripts/compare/trainers.mjs [STEPS] [BASE XxYxZ ...]
 *
 * Milliseconds and bytes of GPU buffers (medians; the first step of each, which checks kernels, does not count), their ratios, and how
 * far losses lie apart. 12 48x64x48 and 32 64x64x64 where nothing is said; an adapter in software takes minutes for a step of these.
 */
import { join } from 'node:path';
import { launch, serve } from '../../tests/web/browser.mjs';
import { EMPTY_PAGE } from '../../tests/web/empty-page.mjs';
import { practise, step } from '../../tests/web/practice.mjs';
import { root } from '../tools.mjs';
import { median } from './report.mjs';

const [steps = '5', ...sizes] = process.argv.slice(2);
const NETWORKS = sizes.length > 0 ? sizes : ['12', '48x64x48', '32', '64x64x64'];
const TRAINERS = ['gpu', 'burn'];

/** Steps of both trainers of a network, by turns: { gpu, burn }, lists of { loss, ms, most }. */
async function learn(browser, url, base, dims) {
  const found = { gpu: [], burn: [] };
  const pages = {};
  for (const artifact of TRAINERS) {
    pages[artifact] = await browser.newPage();
    await pages[artifact].goto(url);
    await practise(pages[artifact], { artifact, base, dims });
  }
  for (let n = 0; n <= Number(steps); n++) {
    for (const artifact of n % 2 === 0 ? TRAINERS : TRAINERS.toReversed()) found[artifact].push(await step(pages[artifact]));
  }
  for (const page of Object.values(pages)) await page.close();
  return found;
}

const server = await serve(join(root, 'pkg'), { extra: { '/': EMPTY_PAGE } });
const browser = await launch({});
console.log('| network | ms a step | by burn | ratio | MB of buffers | by burn | ratio | losses apart |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
try {
  for (let at = 0; at < NETWORKS.length; at += 2) {
    const { gpu, burn } = await learn(browser, server.url, Number(NETWORKS[at]), NETWORKS[at + 1].split('x').map(Number));
    const [ms, mb] = [
      [gpu, burn].map((list) => median(list.slice(1).map((one) => one.ms))),
      [gpu, burn].map((list) => list.at(-1).most / 1e6),
    ];
    const apart = Math.max(...gpu.map(({ loss }, n) => Math.abs(loss - burn[n].loss)));
    const columns = [ms, mb].flatMap(([a, b], n) => [a.toFixed(n), b.toFixed(n), (b / a).toFixed(2)]);
    console.log(`| base ${NETWORKS[at]}, ${NETWORKS[at + 1]} | ${columns.join(' | ')} | ${apart.toExponential(1)} |`);
  }
} finally {
  await browser.close();
  await server.close();
}
