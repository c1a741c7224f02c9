#!/usr/bin/env node
/**
 * Two builds of the page beside each other, in turn in one headless Chromium, each time with nothing in its cache:
 *
 *   node scripts/compare/pages.mjs OLD/www/dist NEW/www/dist [ROUNDS]
 *
 * First paint, until it is ready, from the press of Segment to the mask (all by the page's clock, medians) with the sample crop on one
 * thread of the CPU, and what is fetched until then; and the ratios of the second to the first.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { launch, serve } from '../../tests/web/browser.mjs';
import { median } from './report.mjs';

const [old, now, rounds = '7'] = process.argv.slice(2);
if (!now) throw new Error('expected two folders, each a built page, found fewer');
const QUERY = '?backend=cpu&sample=crop&lang=en';

/** Bytes of a build, as they lie and compressed: what the page itself is, without wasm, models and samples, and all of it. */
function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  const own = paths.filter((path) => /\.(js|css|html)$/.test(path));
  const sum = (list, size) => list.reduce((total, path) => total + size(path), 0);
  return {
    'all files, MB': sum(paths, (path) => statSync(path).size) / 1e6,
    'scripts, styles, html, gzip, MB': sum(own, (path) => gzipSync(readFileSync(path)).length) / 1e6,
  };
}

/** One visit: milliseconds since the navigation began, but of the mask since the press; and the bytes that were asked for. */
async function visit(browser, folder, { url, requests }) {
  requests.length = 0;
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  // When it says so, by its own clock.
  await page.addInitScript(() => {
    window.reached = {};
    const see = () => {
      const { state } = document.documentElement?.dataset ?? {};
      if (state) window.reached[state] ??= performance.now();
    };
    new MutationObserver(see).observe(document, { attributes: true, childList: true, subtree: true });
  });
  await page.goto(url + QUERY);
  await page.locator('html[data-state=ready]').waitFor({ state: 'attached' });
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  const ready = await page.evaluate(() => window.reached.ready);
  await page.waitForTimeout(1500);
  const mask = await page.evaluate(async () => {
    const begun = performance.now();
    document.querySelector('#segment').click();
    while (document.documentElement.dataset.state !== 'done') await new Promise((resolve) => setTimeout(resolve, 5));
    return performance.now() - begun;
  });
  await context.close();
  const bytes = requests.reduce((sum, path) => sum + (statSync(join(folder, path), { throwIfNoEntry: false })?.size ?? 0), 0);
  return {
    'first paint, ms': paint,
    'ready, ms': ready,
    'mask after the press, ms': mask,
    'first mask, ms': ready + mask,
    'fetched, MB': bytes / 1e6,
  };
}

const servers = [await serve(old), await serve(now)];
const browser = await launch({ webgpu: false });
const visits = [[], []];
try {
  // The first of each does not count.
  for (let round = 0; round <= Number(rounds); round++) {
    for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const found = await visit(browser, [old, now][at], servers[at]);
      if (round > 0) visits[at].push(found);
    }
  }
} finally {
  await browser.close();
  for (const server of servers) await server.close();
}

const columns = visits.map((list, at) => ({
  ...Object.fromEntries(Object.keys(list[0]).map((what) => [what, median(list.map((one) => one[what]))])),
  ...sizeOf([old, now][at]),
}));
console.log(`| ${rounds} visits each, medians | ${old} | ${now} | ratio |\n| --- | --- | --- | --- |`);
for (const what of Object.keys(columns[0])) {
  const [a, b] = columns.map((column) => column[what]);
  const digits = /MB/.test(what) ? 2 : 0;
  console.log(`| ${what} | ${a.toFixed(digits)} | ${b.toFixed(digits)} | ${(b / a).toFixed(2)} |`);
}
