#!/usr/bin/env node
/**
 * Makes pkg/wasm from the crate: cargo, then wasm-bindgen of exactly the crate's version.
 *
 *   node pkg/build.mjs          the release profile, for work and tests; nothing to do if the sources are older
 *   node pkg/build.mjs --opt    the dist profile and wasm-opt -O3, for publishing (minutes)
 *   node pkg/build.mjs --tools  only makes sure of wasm-bindgen
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const wasmDir = join(root, 'pkg', 'wasm');
const wasmFile = join(wasmDir, 'insitu_seg_bg.wasm');
const stampFile = join(wasmDir, 'build.json');
const cargoBin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin');
const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}${cargoBin}` };

const run = (command, args) => execFileSync(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
const ask = (command, args) => execFileSync(command, args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 26 });

/** The exact version the crate pins: generated glue and command must agree to the last digit. */
function pinnedVersion() {
  const pin = /^wasm-bindgen\s*=.*?"=(\d+\.\d+\.\d+)"/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'));
  if (!pin) throw new Error('Cargo.toml: expected an exact pin such as wasm-bindgen = { version = "=0.2.130" }, found none');
  return pin[1];
}

function ensureWasmBindgen(version) {
  let found = 'none';
  try {
    found = ask('wasm-bindgen', ['--version']).trim().split(' ').at(-1);
  } catch {
    // not installed: the same as the wrong version
  }
  if (found === version) return;
  console.log(`wasm-bindgen: found ${found}, installing ${version} (some minutes)`);
  run('cargo', ['install', 'wasm-bindgen-cli', '--version', version, '--force']);
}

/** The newest change to anything the wasm is made of, milliseconds. */
function newestSource() {
  const files = ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml', 'rust-toolchain.toml'].map((file) => join(root, file));
  const walk = (dir) =>
    readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? walk(path) : [path];
    });
  return Math.max(...[...files, ...walk(join(root, 'src'))].filter(existsSync).map((file) => statSync(file).mtimeMs));
}

function isFresh(wanted) {
  if (!existsSync(wasmFile) || !existsSync(stampFile)) return false;
  const stamp = JSON.parse(readFileSync(stampFile, 'utf8'));
  return stamp.wasmBindgen === wanted.wasmBindgen && (stamp.opt || !wanted.opt) && statSync(wasmFile).mtimeMs > newestSource();
}

/** wasm-opt on what wasm-bindgen wrote; the features are those the target and simd128 turn on. 90 MB, so fetched only here. */
function optimise() {
  const features = ['simd', 'bulk-memory', 'sign-ext', 'mutable-globals', 'nontrapping-float-to-int', 'reference-types', 'multivalue'];
  const wasmOpt = ['exec', '--yes', '--package=binaryen@132.0.0', '--', 'wasm-opt'];
  run('npm', [...wasmOpt, '-O3', ...features.map((name) => `--enable-${name}`), wasmFile, '-o', wasmFile]);
}

const opt = process.argv.includes('--opt');
const wanted = { wasmBindgen: pinnedVersion(), opt };
ensureWasmBindgen(wanted.wasmBindgen);
if (process.argv.includes('--tools')) process.exit(0);
if (isFresh(wanted)) {
  console.log('pkg/wasm is newer than its sources: nothing to build');
  process.exit(0);
}

const profile = opt ? 'dist' : 'release';
run('cargo', ['build', '--profile', profile, '--lib', '--target', 'wasm32-unknown-unknown', '--features', 'web']);
const target = JSON.parse(ask('cargo', ['metadata', '--format-version', '1', '--no-deps'])).target_directory;
mkdirSync(wasmDir, { recursive: true });
const built = join(target, 'wasm32-unknown-unknown', profile, 'insitu_seg.wasm');
run('wasm-bindgen', ['--target', 'web', '--out-dir', wasmDir, '--out-name', 'insitu_seg', built]);
if (opt) optimise();
writeFileSync(stampFile, `${JSON.stringify(wanted)}\n`);
console.log(`pkg/wasm/insitu_seg_bg.wasm: ${(statSync(wasmFile).size / 1e6).toFixed(1)} MB`);
