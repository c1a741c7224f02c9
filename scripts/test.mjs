#!/usr/bin/env node
/**
 * `npm test`: every check in order, then a summary. A check whose tool cannot be had, and a test that finds its data
 * missing, is "not run", not failed, unless INSITU_REQUIRE lists what it lacks (tests/not-run.mjs).
 *
 *   npm test                  everything
 *   npm test -- WORD ...      the checks with one of these words in their names
 *   npm run test:quick        what takes minutes, not half an hour
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { required } from '../tests/not-run.mjs';
import { checks } from './checks.mjs';
import { setup } from './setup.mjs';
import { env } from './tools.mjs';

const QUICK = '--quick';
const words = process.argv.slice(2).filter((word) => word !== QUICK);
const quick = process.argv.includes(QUICK);
const mandatory = required();

const scratch = mkdtempSync(join(tmpdir(), 'insitu-test-'));
const list = join(scratch, 'not-run.txt');
env.INSITU_NOT_RUN = list;

const wanted = checks({ quick, scratch }).filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (wanted.length === 0) {
  console.error(`found ${words.join(' ')}, expected words of a check's name`);
  process.exit(2);
}

/** What a check came to: { outcome: 'passed' | 'failed' | 'not run', why }. */
async function outcomeOf({ run, lacks }, more) {
  const answer = lacks?.() ?? (await run(more));
  if (!Array.isArray(answer)) return { outcome: answer ? 'passed' : 'failed' };
  const [need, why] = answer;
  return mandatory.has(need)
    ? { outcome: 'failed', why: `not run, but INSITU_REQUIRE lists ${need}: ${why}` }
    : { outcome: 'not run', why };
}

/** The tests inside of checks that could not run, as they told, by the reason. */
function testsNotRun() {
  const lines = existsSync(list) ? new Set(readFileSync(list, 'utf8').trim().split('\n')) : [];
  const reasons = new Map();
  for (const [, test, why] of [...lines].map((line) => line.split('\t'))) reasons.set(why, [...(reasons.get(why) ?? []), test]);
  return reasons;
}

const begun = Date.now();
// Firefox and WebKit are fetched where they are asked for by name; else what looks at them is not run where they are missing.
const browsers = words.length > 0 && wanted.some(({ name }) => name.startsWith('browsers:'));
for (const sentence of await setup({ browsers })) console.error(`missing: ${sentence}`);
const installed = Date.now();

async function carriedOut(check, more) {
  console.log(`\n== ${check.name}`);
  const started = Date.now();
  const result = await outcomeOf(check, more);
  if (result.why) console.log(result.why);
  return { name: check.name, seconds: (Date.now() - started) / 1000, ...result };
}

/** The results of the checks, in their order; neighbours that may be paired run two at a time. */
async function inOrder(wanted) {
  const results = [];
  const queue = [...wanted];
  const next = async () => {
    while (queue[0]?.paired) results.push(await carriedOut(queue.shift(), { atEnd: true }));
  };
  while (queue.length > 0) {
    if (queue[0].paired) await Promise.all([next(), next()]);
    else results.push(await carriedOut(queue.shift()));
  }
  return results;
}

const results = await inOrder(wanted);

console.log('\n== summary');
const width = Math.max(...results.map(({ name }) => name.length));
for (const { name, outcome, why, seconds } of results) {
  console.log(`${name.padEnd(width)}  ${seconds.toFixed(0).padStart(5)} s  ${outcome}${why ? `: ${why}` : ''}`);
}
const skipped = testsNotRun();
for (const [why, tests] of skipped) console.log(`not run, as ${why}:\n  ${tests.join('\n  ')}`);
const minutes = (ms) => (ms / 60_000).toFixed(1);
console.log(`${minutes(Date.now() - begun)} minutes, of which ${minutes(installed - begun)} to install what was missing`);
rmSync(scratch, { recursive: true });

const count = (kind) => results.filter(({ outcome }) => outcome === kind).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('not run') + [...skipped.values()].flat().length} skipped`);
process.exit(count('failed') === 0 ? 0 : 1);
