#!/usr/bin/env node
/**
 * Makes pkg/wasm from the crate: cargo, then wasm-bindgen of exactly the crate's version (scripts/bindgen). One folder for each way to
 * run, as one module cannot hold both the GPU and threads: gpu, cpu, threads. And one to train by burn, which takes minutes more.
 *
 *   node pkg/build.mjs          the release profile, for work and tests; nothing to do where the sources are older; without burn
 *   node pkg/build.mjs cpu      of these folders only
 *   node pkg/build.mjs --opt    all, by the dist profile and wasm-opt -O3, for publishing (many minutes)
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindgen } from './bindgen.mjs';
import { useOwnThreads } from './glue.mjs';

const TARGET = 'wasm32-unknown-unknown';

/** Memory that workers share, which each of them readies for itself. */
const SHARED = [
  '-Ctarget-feature=+simd128,+atomics,+bulk-memory,+mutable-globals',
  ...['--shared-memory', '--import-memory', `--max-memory=${2 ** 32}`].map((arg) => `-Clink-arg=${arg}`),
  ...['__wasm_init_tls', '__tls_size', '__tls_align', '__tls_base'].map((name) => `-Clink-arg=--export=${name}`),
];

/** What is published is a tenth smaller for it (gzip), and 1 to 2 % slower: LLVM's own limit is 225. */
const INLINE_LESS = '-Cllvm-args=-inline-threshold=75';

/** @typedef {{ features: string, own?: boolean, relaxed?: boolean, named?: boolean }} Artifact */
/** @typedef {{ opt: boolean }} Wanted */

/**
 * `own`: built with a standard library of its own, made from its sources, in a target folder of its own. `relaxed`: with fused
 * products and sums, for browsers that have them; what the crate is built of is the same. `named`: built for publishing, and where it
 * is asked for by name; else a module that says so stands in its place.
 * @type {Record<string, Artifact>}
 */
const ARTIFACTS = {
  gpu: { features: 'web,gpu' },
  cpu: { features: 'web' },
  threads: { features: 'web,threads', own: true },
  'cpu-relaxed': { features: 'web,relaxed', relaxed: true },
  'threads-relaxed': { features: 'web,threads,relaxed', own: true, relaxed: true },
  burn: { features: 'web,burn-gpu', named: true },
};

const root = fileURLToPath(new URL('..', import.meta.url));
const cargoBin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin');
const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}${cargoBin}` };

/** @param {string} command @param {string[]} args @param {Record<string, string>} [more] environment */
const run = (command, args, more) =>
  execFileSync(command, args, { cwd: root, env: { ...env, ...more }, stdio: ['ignore', 'inherit', 'inherit'] });
/** @param {string} command @param {string[]} args */
const ask = (command, args) =>
  execFileSync(command, args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 26 });

/** The newest change to anything the wasm is made of, milliseconds. */
function newestSource() {
  const files = [
    'Cargo.toml',
    'Cargo.lock',
    'build.rs',
    '.cargo/config.toml',
    'rust-toolchain.toml',
    'pkg/build.mjs',
    'pkg/glue.mjs',
    'scripts/bindgen/Cargo.lock',
  ].map((file) => join(root, file));
  /** @type {(dir: string) => string[]} */
  const walk = (dir) =>
    readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? walk(path) : [path];
    });
  return Math.max(...[...files, ...walk(join(root, 'src'))].filter(existsSync).map((file) => statSync(file).mtimeMs));
}

/** @param {string} folder @param {Wanted} wanted */
function isFresh(folder, wanted) {
  const [wasm, stampFile] = [join(folder, 'insitu_seg_bg.wasm'), join(folder, 'build.json')];
  if (!existsSync(wasm) || !existsSync(stampFile)) return false;
  const stamp = JSON.parse(readFileSync(stampFile, 'utf8'));
  return (stamp.opt || !wanted.opt) && stamp.started > newestSource();
}

const hasStdSources = () => existsSync(join(ask('rustc', ['--print', 'sysroot']).trim(), 'lib/rustlib/src/rust/library/Cargo.toml'));
const targetFolder = () => JSON.parse(ask('cargo', ['metadata', '--format-version', '1', '--no-deps'])).target_directory;

/** The module as cargo makes it: a cdylib only here, as cargo would build the library anew for each set of features. @param {Artifact} artifact @param {string} profile */
function compile({ features, own, relaxed }, profile) {
  const args = ['rustc', '--profile', profile, '--lib', '--crate-type', 'cdylib', '--target', TARGET, '--features', features];
  const built = (/** @type {string} */ folder) => join(folder, TARGET, profile, 'insitu_seg.wasm');
  const flags = [...(relaxed ? ['-Ctarget-feature=+relaxed-simd'] : []), ...(profile === 'dist' ? [INLINE_LESS] : [])];
  const last = flags.length > 0 ? ['--', ...flags] : [];
  if (!own) {
    run('cargo', [...args, ...last]);
    return built(targetFolder());
  }
  const folder = join(targetFolder(), 'threads');
  const std = ['-Z', 'build-std=std,panic_abort', '--target-dir', folder];
  run('cargo', [...args, ...std, ...last], { RUSTC_BOOTSTRAP: '1', RUSTFLAGS: SHARED.join(' ') });
  return built(folder);
}

/** wasm-opt on what wasm-bindgen wrote; the features are those the target and the flags turn on. 90 MB, so fetched only here. @param {string} wasm */
function optimise(wasm) {
  const features = [
    'simd',
    'relaxed-simd',
    'threads',
    'bulk-memory',
    'sign-ext',
    'mutable-globals',
    'nontrapping-float-to-int',
    'reference-types',
    'multivalue',
  ];
  const wasmOpt = ['exec', '--yes', '--package=binaryen@132.0.0', '--', 'wasm-opt'];
  run('npm', [...wasmOpt, '-O3', ...features.map((name) => `--enable-${name}`), wasm, '-o', wasm]);
}

/** A module that says what it lacks: the worker imports its script. @param {string} folder @param {string} lacks */
function standIn(folder, lacks) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const failure = `Object.assign(new Error('this build has no ${lacks}'), { code: 'unsupported' })`;
  writeFileSync(join(folder, 'insitu_seg.js'), `export default () => {\n  throw ${failure};\n};\n`);
}

/** Wasm of one section without meaning, for bundlers that look for a file, and too long for them to put it into a script. */
function emptyWasm() {
  const [size, name] = [6000, [4, ...Buffer.from('none')]];
  const section = [0, 0x80 | (size & 0x7f), size >> 7, ...name, ...Array(size - name.length).fill(0)];
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section);
}

/** @param {string} name @param {Wanted} wanted @param {boolean} named */
function make(name, wanted, named) {
  const folder = join(root, 'pkg', 'wasm', name);
  const artifact = ARTIFACTS[name];
  if (artifact.named && !named && !wanted.opt) {
    if (existsSync(join(folder, 'insitu_seg.js'))) return;
    standIn(folder, name);
    return writeFileSync(join(folder, 'insitu_seg_bg.wasm'), emptyWasm());
  }
  if (isFresh(folder, wanted)) return console.log(`pkg/wasm/${name} is newer than its sources: nothing to build`);
  if (artifact.own && !hasStdSources()) {
    // At run time its failure is followed by one thread.
    standIn(folder, 'threads');
    return console.error(`pkg/wasm/${name}: not built, so the CPU has one thread: it needs \`rustup component add rust-src\``);
  }
  const started = Date.now();
  const built = compile(artifact, wanted.opt ? 'dist' : 'release');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('cargo', bindgen(targetFolder(), built, folder));
  if (artifact.own) useOwnThreads(folder);
  const wasm = join(folder, 'insitu_seg_bg.wasm');
  if (wanted.opt) optimise(wasm);
  writeFileSync(join(folder, 'build.json'), `${JSON.stringify({ ...wanted, started })}\n`);
  console.log(`pkg/wasm/${name}: ${(statSync(wasm).size / 1e6).toFixed(2)} MB`);
}

const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = [...options.filter((option) => option !== '--opt'), ...names.filter((name) => !(name in ARTIFACTS))];
if (unknown.length > 0) throw new Error(`expected --opt, or of ${Object.keys(ARTIFACTS).join(', ')}, found ${unknown.join(' ')}`);

const wanted = { opt: options.includes('--opt') };
for (const name of names.length > 0 ? names : Object.keys(ARTIFACTS)) make(name, wanted, names.includes(name));
