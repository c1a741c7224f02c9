#!/usr/bin/env node
/** `npm test`: every check in order, then a summary. A check whose tool cannot be had is "not run", not failed. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { ask, chromedriver, chromium, root, run, swiftshader, which } from './tools.mjs';

const WASM = ['--release', '--target', 'wasm32-unknown-unknown', '--features', 'web,gpu'];
const NATIVE = ['--release', '--features', 'cli,stock'];
const cargo =
  (...args) =>
  () =>
    run('cargo', args);

/** Hostile inputs of the native fuzzer with its answers, for the wasm module to repeat. */
const scratch = mkdtempSync(join(tmpdir(), 'insitu-test-'));
const corpus = join(scratch, 'corpus.bin');
/** Crops on which the native test learned, with their losses, for a browser to repeat. */
const curve = join(scratch, 'curve.bin');
const FUZZ_SECONDS = '60';

/** The core must stay free of the network and of the browser: purity is what cargo resolves, not what we say. */
async function isPure() {
  const tree = ask('cargo', ['tree', '--no-default-features', '-e', 'normal', '--prefix', 'none']);
  if (tree === null) return false;
  const found = ['burn', 'wasm-bindgen'].filter((name) => new RegExp(`^${name} v`, 'm').test(tree));
  console.log(found.length === 0 ? 'neither burn nor wasm-bindgen' : `found in the tree without features: ${found.join(', ')}`);
  return found.length === 0;
}

const pureTests = () =>
  run('cargo', ['test', '--release', '--no-default-features', '--', '--show-output'], {
    env: { INSITU_FUZZ_SECONDS: FUZZ_SECONDS, INSITU_CORPUS: corpus },
  });

/** Where there is no GPU, the browser's software adapter stands in for one natively too. */
const adapter = () => {
  const real = ['/dev/dri', '/dev/nvidiactl'].some(existsSync) || process.env.VK_ICD_FILENAMES;
  return real || !swiftshader() ? {} : { VK_ICD_FILENAMES: swiftshader() };
};

const noBrowser = () => (chromium() ? null : 'no Chromium (set CHROMIUM)');
const noDriver = () => noBrowser() ?? (chromedriver() ? null : 'no chromedriver (set CHROMEDRIVER)');
const noFile = (path) => (existsSync(join(root, path)) ? null : `there is no ${path}`);

const wasmTests = () =>
  run('cargo', ['test', ...WASM, '--test', 'web'], {
    env: {
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: which('wasm-bindgen-test-runner') ?? 'wasm-bindgen-test-runner',
      CHROMEDRIVER: chromedriver(),
      WASM_BINDGEN_TEST_TIMEOUT: '600',
    },
  });

const pageTests = () => {
  const files = readdirSync(join(root, 'tests/web')).filter((file) => file.endsWith('.test.mjs'));
  const paths = files.map((file) => `tests/web/${file}`);
  return run(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...paths], {
    env: { INSITU_CORPUS: corpus, INSITU_CURVE: curve },
  });
};

/** name, run() -> passed, and optionally skip() -> why it cannot be run here, or null */
const checks = [
  { name: 'format', run: cargo('fmt', '--check') },
  { name: 'lints, native', run: cargo('clippy', ...NATIVE, '--all-targets', '--', '-D', 'warnings') },
  { name: 'lints, wasm', run: cargo('clippy', ...WASM, '--lib', '--test', 'web', '--', '-D', 'warnings') },
  { name: 'tests of the pure core, and a minute of hostile files', run: pureTests },
  { name: 'the pure core is pure', run: isPure },
  { name: 'tests, native', run: () => run('cargo', ['test', ...NATIVE], { env: { ...adapter(), INSITU_CURVE: curve } }) },
  {
    name: 'tests on the data of ../shared',
    run: cargo(
      'test',
      ...NATIVE,
      '--test',
      'file',
      '--test',
      'metrics',
      '--test',
      'preprocess',
      '--test',
      'command',
      '--test',
      'curve',
      '--',
      '--show-output',
    ),
    skip: () => noFile('../shared/data'),
  },
  { name: 'tests in wasm, in Chromium', run: wasmTests, skip: () => noFile('tests/web.rs') ?? noDriver() },
  { name: 'build of the package and the page', run: () => run(process.execPath, ['scripts/build.mjs']) },
  { name: 'build of the command', run: cargo('build', '--release', '--features', 'cli') },
  { name: 'tests of the package and the page, in Chromium', run: pageTests, skip: noBrowser },
];

for (const sentence of await setup()) console.error(`missing: ${sentence}`);

const results = [];
for (const { name, run: check, skip } of checks) {
  console.log(`\n== ${name}`);
  const reason = skip?.() ?? null;
  if (reason) console.log(`not run: ${reason}`);
  const started = Date.now();
  const outcome = reason ? `not run: ${reason}` : (await check()) ? 'passed' : 'failed';
  results.push({ name, outcome, seconds: (Date.now() - started) / 1000 });
}

rmSync(scratch, { recursive: true });
console.log('\n== summary');
const width = Math.max(...results.map(({ name }) => name.length));
for (const { name, outcome, seconds } of results) console.log(`${name.padEnd(width)}  ${seconds.toFixed(0).padStart(5)} s  ${outcome}`);
const count = (kind) => results.filter(({ outcome }) => outcome.startsWith(kind)).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('not run')} skipped`);
process.exit(count('failed') === 0 ? 0 : 1);
