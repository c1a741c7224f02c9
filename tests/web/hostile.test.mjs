/** Files that mean harm, read by the wasm itself in Node: no trap, an answer in words, and the memory stays small. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { root } from '../../scripts/tools.mjs';
import { notRun } from '../not-run.mjs';
import { headerBomb } from './nifti.mjs';

const MIB = 2 ** 20;
const cases = join(process.env.INSITU_DATA ?? join(root, '../shared/data'), 'nifti-cases');
const corpus = process.env.INSITU_CORPUS;

let inspect;
let memory;
before(async () => {
  const folder = join(root, 'pkg/wasm/cpu');
  const { default: init, ...engine } = await import(join(folder, 'insitu_seg.js'));
  ({ memory } = await init({ module_or_path: readFileSync(join(folder, 'insitu_seg_bg.wasm')) }));
  ({ inspect } = engine);
});

/** The answer to a file, or its refusal; anything else that is thrown is a defect and goes on. */
function answer(header, voxels) {
  try {
    return { info: inspect(header, voxels) };
  } catch (error) {
    const isRefusal = error instanceof Error && !(error instanceof WebAssembly.RuntimeError) && typeof error.code === 'string';
    if (!isRefusal) throw error;
    return { error };
  }
}

/** A plain array of its own, as a browser gives it; small files of Node share one buffer. */
const load = (path) => new Uint8Array(readFileSync(path));

/** The partner of a .hdr, with or without .gz; undefined if there is none. */
function partner(path) {
  const stem = path.replace(/\.hdr(\.gz)?$/, '');
  return stem === path ? undefined : [`${stem}.img`, `${stem}.img.gz`].find(existsSync);
}

describe('the files of ../shared/data/nifti-cases', () => {
  it('are read or refused in words, one by one, without a trap', (t) => {
    if (!existsSync(cases)) return notRun(t, 'data', 'there is no ../shared/data/nifti-cases');
    const files = readdirSync(cases, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const counts = { read: 0, refused: 0 };
    const read = (what, ...parts) => {
      const { info, error } = answer(...parts);
      counts[info ? 'read' : 'refused'] += 1;
      const { checks, message } = info ?? error;
      assert.ok(Array.isArray(checks), what);
      for (const { field, severity, words } of checks) {
        assert.ok(field && words && ['ok', 'warning', 'error'].includes(severity), `${what}: ${field} ${severity} ${words}`);
      }
      if (info)
        assert.ok(
          checks.every(({ severity }) => severity !== 'error'),
          what,
        );
      else assert.match(message, /^[^\n]+: found [^\n]+, expected [^\n]+$/, what);
    };
    for (const { parentPath, name } of files) {
      const file = join(parentPath, name);
      const what = relative(cases, file);
      read(what, load(file));
      const img = partner(file);
      if (img) read(`${what} with its .img`, load(file), load(img));
    }
    t.diagnostic(`${files.length} files: ${counts.read} read, ${counts.refused} refused`);
    assert.ok(counts.read > 0 && counts.refused > 0);
  });
});

describe('a header of 352 bytes that claims 256 TiB', () => {
  const bomb = headerBomb();
  const forms = {
    plain: [bomb],
    gzipped: [gzipSync(bomb)],
    'of a pair': [Buffer.concat([bomb.subarray(0, 344), Buffer.from('ni1\0')]), Buffer.alloc(1000)],
  };
  for (const [form, parts] of Object.entries(forms)) {
    it(`(${form}) is refused and takes no memory`, () => {
      const before = memory.buffer.byteLength;
      const { error } = answer(...parts.map((part) => new Uint8Array(part)));
      assert.equal(error?.code, 'limit', error?.message);
      const grown = memory.buffer.byteLength - before;
      assert.ok(grown < MIB, `the memory grew by ${grown} bytes`);
    });
  }
});

/** Records of the native fuzzer: header, voxels (or none) and answer, each behind its length as u32. */
function* records(file) {
  const NONE = 0xffffffff;
  let at = 0;
  const take = () => {
    const length = file.readUInt32LE(at);
    at += 4;
    if (length === NONE) return undefined;
    at += length;
    return new Uint8Array(file.subarray(at - length, at));
  };
  while (at < file.length) yield { header: take(), voxels: take(), expected: new TextDecoder().decode(take()) };
}

const inWords = ({ info, error }) =>
  error ? `error ${error.code}` : `ok ${info.dims.join('x')} ${info.min} ${info.max} ${info.nonfinite}`;

/** Word by word: numbers within 1e-6 of the larger one, the rest to the letter. */
function sameAnswer(found, expected) {
  const [a, b] = [found.split(' '), expected.split(' ')];
  const near = (x, y) => Math.abs(x - y) <= 1e-6 * Math.max(Math.abs(x), Math.abs(y));
  return a.length === b.length && a.every((word, i) => word === b[i] || near(Number(word), Number(b[i])));
}

describe('the corpus of the native fuzzer', () => {
  it('is answered as by the native reader, none slower than the others by far, in little memory', (t) => {
    if (!corpus) return notRun(t, 'build', 'INSITU_CORPUS names no file');
    if (!existsSync(corpus)) return notRun(t, 'build', `there is no ${corpus}`);
    const before = memory.buffer.byteLength;
    const started = performance.now();
    const wrong = [];
    let count = 0;
    let slowest = 0;
    for (const { header, voxels, expected } of records(readFileSync(corpus))) {
      const asked = performance.now();
      const found = inWords(answer(header, voxels));
      const seconds = (performance.now() - asked) / 1000;
      slowest = Math.max(slowest, seconds);
      if (!sameAnswer(found, expected)) wrong.push(`record ${count}: found "${found}", expected "${expected}"`);
      count += 1;
    }
    const seconds = (performance.now() - started) / 1000;
    const after = memory.buffer.byteLength;
    const mib = (bytes) => (bytes / MIB).toFixed(1);
    t.diagnostic(
      `${count} records in ${seconds.toFixed(1)} s, the slowest ${(1000 * slowest).toFixed(0)} ms; memory ${mib(before)} MiB before, ${mib(after)} MiB after`,
    );
    assert.equal(wrong.length, 0, `${wrong.length} of ${count}:\n${wrong.slice(0, 10).join('\n')}`);
    assert.ok(count > 0);
    assert.ok(slowest < 0.25 * seconds, `one record took ${slowest} s of ${seconds}`);
    assert.ok(after - before < 256 * MIB, `the memory grew by ${mib(after - before)} MiB`);
  });
});
