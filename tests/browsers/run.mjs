#!/usr/bin/env node
/**
 * `npm run test:browsers`: what a person does with the page, in every browser, as a table.
 *
 *   npm run test:browsers -- [--smoke] [chromium] [firefox] [webkit]
 *
 * `--smoke`: only what `npm test` looks at. INSITU_PICTURES names a folder for a picture of each page. A browser that is not there is
 * "not run", unless INSITU_REQUIRE lists it; a feature that failed fails the run, and those that stand on it are not tried.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { servePage } from '../web/browser.mjs';
import { askedFor, whyNot } from './asked.mjs';
import { FEATURES, SMOKE } from './features.mjs';

const BROWSERS = ['chromium', 'firefox', 'webkit'];
const wanted = askedFor(
  process.argv.slice(2).filter((word) => word !== '--smoke'),
  BROWSERS,
);
const features = process.argv.includes('--smoke') ? SMOKE : Object.keys(FEATURES);
const GREEN = 'green';

/** A picture of the page, where they are wanted. */
async function picture(tab, name) {
  const folder = process.env.INSITU_PICTURES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await tab.screenshot(join(folder, `${name}.png`));
}

/** What each feature came to in one browser: { feature: words }. */
async function look(kind) {
  const { launch, lacks, name } = await import(`./${kind}.mjs`);
  const missing = whyNot(kind, lacks);
  if (missing) return { name, found: Object.fromEntries(features.map((feature) => [feature, `not run: ${missing}`])) };
  const server = await servePage({ isolated: true });
  const tab = await launch();
  const story = { tab, server, kept: {} };
  const found = {};
  try {
    for (const feature of features) {
      const begun = Date.now();
      try {
        const why = await FEATURES[feature](story);
        found[feature] = why ? `not possible in this browser: ${why}` : GREEN;
      } catch (error) {
        found[feature] = `FAILED: ${error.message.split('\n')[0]}`;
        console.error(error, tab.complaints);
      }
      console.log(`${name} ${tab.version}: ${feature}: ${found[feature]} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
      await picture(tab, `${kind}-${feature}`).catch(({ message }) => console.error(message));
      if (found[feature].startsWith('FAILED') && ['open', 'segment'].includes(feature)) break;
    }
  } finally {
    await tab.close();
    await server.close().catch(() => {});
  }
  return { name: `${name} ${tab.version}`, found };
}

const columns = [];
for (const kind of wanted) columns.push(await look(kind));

console.log(`\n| | ${columns.map(({ name }) => name).join(' | ')} |\n|${' --- |'.repeat(columns.length + 1)}`);
for (const feature of features) console.log(`| ${feature} | ${columns.map(({ found }) => found[feature] ?? 'not tried').join(' | ')} |`);
const failed = columns.some(({ found }) => features.some((feature) => (found[feature] ?? 'FAILED').startsWith('FAILED')));
process.exit(failed ? 1 : 0);
