#!/usr/bin/env node
/**
 * `npm run test:cohorts`: `insitu bids` on a made data set, and the workflows of workflows/. Not part of `npm test`: it installs
 * Snakemake and Flower into a virtual environment of its own (target/cohorts), and trains.
 *
 *   npm run test:cohorts                 everything
 *   npm run test:cohorts -- WORD ...     the checks with one of these words in their names
 *
 * Needs the built command (`cargo build --release --features cli`, or what INSITU names) and Python 3.11 or later ($PYTHON). What
 * cannot be had is "not run", with the reason, unless INSITU_REQUIRE lists it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, env, root, run } from '../../scripts/tools.mjs';
import { required } from '../not-run.mjs';

const NAMES = [process.env.PYTHON, 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3'];
const OLDEST = [3, 11];
const REQUIREMENTS = ['tests/cohorts', 'workflows/bids', 'workflows/train'].map((folder) => join(root, folder, 'requirements.txt'));
const home = join(root, 'target', 'cohorts');
const words = process.argv.slice(2);

/** Whether a Python is there, and not too old. */
function suits(name) {
  const found = name && ask(name, ['-c', 'import sys; print(*sys.version_info[:2])']);
  if (!found) return false;
  const [major, minor] = found.trim().split(' ').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** The virtual environment's Python, or [need, why] where it cannot be had. */
async function environment() {
  const wanted = createHash('sha256');
  for (const file of REQUIREMENTS) wanted.update(readFileSync(file));
  const mark = join(home, 'installed');
  const python = join(home, 'bin', 'python');
  const hash = wanted.digest('hex');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === hash) return python;
  const base = NAMES.find(suits);
  if (!base) return ['machine', `there is no Python ${OLDEST.join('.')} or later (set PYTHON)`];
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  if (!(await run(base, ['-m', 'venv', home]))) return ['machine', `${base} makes no virtual environment`];
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS[0]];
  if (!(await run(python, install))) return ['network', 'Snakemake and Flower cannot be installed from PyPI'];
  writeFileSync(mark, hash);
  return python;
}

const scratch = mkdtempSync(join(tmpdir(), 'insitu-cohorts-'));
env.INSITU_NOT_RUN = join(scratch, 'not-run.txt');
const python = await environment();
if (Array.isArray(python) && required().has(python[0])) throw new Error(`not run, but INSITU_REQUIRE lists ${python[0]}: ${python[1]}`);
const lacks = Array.isArray(python) ? python[1] : null;
if (!lacks) env.BIDS_VALIDATOR ??= join(home, 'bin', 'bids-validator-deno');

const here = join(root, 'tests', 'cohorts');
const named = (pattern) => readdirSync(here).filter((name) => pattern.test(name));
const pytest = (name) => ['-m', 'pytest', '-v', '-s', '--tb=short', '-p', 'no:cacheprovider', join(here, name)];
const checks = [
  { name: 'format, Python', run: () => run(python, ['-m', 'ruff', 'format', '--check']), lacks },
  { name: 'lint, Python', run: () => run(python, ['-m', 'ruff', 'check', '--no-cache']), lacks },
  ...named(/\.test\.mjs$/).map((name) => ({
    name,
    run: () => run(process.execPath, ['--test', '--test-reporter=spec', join(here, name)]),
  })),
  ...named(/^test_.*\.py$/).map((name) => ({ name, run: () => run(python, pytest(name)), lacks })),
].filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));

const results = [];
for (const check of checks) {
  console.log(`\n== ${check.name}`);
  const since = Date.now();
  const outcome = check.lacks ? `not run: ${check.lacks}` : (await check.run()) ? 'passed' : 'failed';
  results.push({ name: check.name, outcome, seconds: (Date.now() - since) / 1000 });
}

console.log('\n== summary');
for (const { name, outcome, seconds } of results) console.log(`${name.padEnd(28)} ${seconds.toFixed(0).padStart(6)} s  ${outcome}`);
const skipped = existsSync(env.INSITU_NOT_RUN) ? new Set(readFileSync(env.INSITU_NOT_RUN, 'utf8').trim().split('\n')) : [];
for (const line of skipped) console.log(`not run: ${line.split('\t').slice(1).join(': ')}`);
rmSync(scratch, { recursive: true });
process.exit(results.some(({ outcome }) => outcome === 'failed') || results.length === 0 ? 1 : 0);
