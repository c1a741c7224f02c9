#!/usr/bin/env node
/**
 * What a stranger does who has only the documentation: a crate of its own, on the package as it would be published, whose
 * program is the first example of the front page, segments the sample volume. The package is built by cargo on the way.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ask, root, run } from './tools.mjs';

/** The least Dice of all labels together with the sample's known labels. */
const DICE = 0.9;

const target = JSON.parse(ask('cargo', ['metadata', '--format-version', '1', '--no-deps'])).target_directory;
const sample = join(root, 'pkg', 'samples', 'hippocampus');

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** The first example of lib.rs, with the lines that the documentation hides left out. */
function program() {
  const lines = readFileSync(join(root, 'src', 'lib.rs'), 'utf8').split('\n');
  const begin = lines.findLastIndex((line) => /^#!\[cfg_attr\(.*doc = "```/.test(line));
  const end = lines.findIndex((line, index) => index > begin && line.startsWith('//! ```'));
  if (begin < 0 || end < 0) fail('src/lib.rs: found no example, expected one in ``` lines');
  const shown = lines.slice(begin + 1, end).map((line) => line.replace(/^\/\/! ?/, ''));
  return `${shown.filter((line) => !line.startsWith('#')).join('\n')}\n`;
}

/** The foreground of a .nii or .nii.gz of bytes. */
function foreground(path) {
  const bytes = readFileSync(path);
  const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
  return plain.subarray(plain.readFloatLE(108)).map((label) => (label > 0 ? 1 : 0));
}

function dice(truth, found) {
  const both = truth.reduce((sum, label, index) => sum + label * found[index], 0);
  const sizes = [truth, found].map((mask) => mask.reduce((sum, label) => sum + label, 0));
  return (2 * both) / (sizes[0] + sizes[1]);
}

// Cargo would verify in the profile `dev`, for which nothing is built; what is unpacked here is checked as it is released.
if (!(await run('cargo', ['package', '--allow-dirty', '--no-verify']))) fail('cargo package failed');
const packages = join(target, 'package');
const packed = readdirSync(packages).find((entry) => /^insitu-seg-\d+\.\d+\.\d+\.crate$/.test(entry)) ?? fail(`no package in ${packages}`);
const name = packed.slice(0, -'.crate'.length);
rmSync(join(packages, name), { recursive: true, force: true });
if (!(await run('tar', ['xzf', packed], { cwd: packages }))) fail(`${packed} cannot be unpacked`);
const command = ['--release', '--features', 'cli', '--manifest-path', join(packages, name, 'Cargo.toml')];
if (!(await run('cargo', ['check', ...command], { env: { CARGO_TARGET_DIR: target } }))) fail('the packaged crate does not build');

const crate = join(target, 'stranger');
rmSync(crate, { recursive: true, force: true });
mkdirSync(join(crate, 'src'), { recursive: true });
writeFileSync(join(crate, 'src', 'main.rs'), program());
for (const file of ['Cargo.lock', 'rust-toolchain.toml']) copyFileSync(join(root, file), join(crate, file));
const scan = join('pkg', 'samples', 'hippocampus', 'image.nii.gz');
mkdirSync(dirname(join(crate, scan)), { recursive: true });
copyFileSync(join(root, scan), join(crate, scan));
writeFileSync(
  join(crate, 'Cargo.toml'),
  `[package]
name = "stranger"
version = "0.0.0"
edition = "2024"

[dependencies]
insitu-seg = { path = ${JSON.stringify(join(packages, name))}, features = ["native"] }

[workspace]
`,
);

const built = { cwd: crate, env: { CARGO_TARGET_DIR: target, INSITU_MODELS: join(root, 'pkg', 'models'), TMPDIR: crate, TMP: crate } };
if (!(await run('cargo', ['run', '--release'], built))) fail('the program of the documentation does not build or run');
const score = dice(foreground(join(sample, 'label.nii.gz')), foreground(join(crate, 'mask.nii.gz')));
if (!(score >= DICE)) fail(`the mask has Dice ${score.toFixed(3)}, expected at least ${DICE}`);
console.log(`the documentation's first program, on the packaged crate: Dice ${score.toFixed(3)} on the sample`);
