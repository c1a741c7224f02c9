/** The package as it is packed: its files, licences and types, and the README with its reference. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { ISOLATION } from './browser.mjs';
import { install, pack, runIn, scratch, snippets, write } from './packed.mjs';

const MB = 1e6;
/** The module in which burn trains is built for publishing, and where it is asked for; as for tests it is larger than as published. */
const hasBurn = existsSync(join(root, 'pkg/wasm/burn/build.json'));

const folder = scratch('tarball');
let packed;
before(() => {
  packed = pack(folder);
  install(folder, packed.tarball, {});
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  it('has what it should and nothing else, each file within its cap', (t) => {
    const caps = {
      'wasm/gpu/insitu_seg_bg.wasm': 4 * MB,
      'wasm/cpu/insitu_seg_bg.wasm': 2.5 * MB,
      'wasm/threads/insitu_seg_bg.wasm': 2.7 * MB,
      'wasm/cpu-relaxed/insitu_seg_bg.wasm': 2.5 * MB,
      'wasm/threads-relaxed/insitu_seg_bg.wasm': 2.7 * MB,
      'wasm/burn/insitu_seg_bg.wasm': hasBurn ? 26 * MB : 0.01 * MB,
      'wasm/burn/insitu_seg.js': 0.1 * MB,
      'THIRD-PARTY.md': hasBurn ? 2 * MB : MB,
    };
    const other = {
      '.js': 0.08 * MB,
      '.ts': 0.04 * MB,
      '.md': 0.03 * MB,
      '.json': 0.012 * MB,
      '.safetensors': 3.2 * MB,
      '.gz': 0.1 * MB,
      '.nii': 0.2 * MB,
    };
    const wrong = packed.files.filter(({ path, size }) => {
      const cap = caps[path] ?? other[/\.\w+$/.exec(path)?.[0]] ?? (path.startsWith('LICENSE-') ? 0.02 * MB : 0);
      return size > cap;
    });
    assert.deepEqual(
      wrong.map(({ path, size }) => `${path}: ${size} bytes`),
      [],
    );
    const paths = packed.files.map(({ path }) => path);
    for (const path of ['README.md', 'NOTICE.md', 'THIRD-PARTY.md', 'LICENSE-MIT', 'LICENSE-APACHE', 'index.d.ts', 'worker.js'])
      assert.ok(paths.includes(path), path);
    assert.deepEqual(
      paths.filter((path) => /test|\.mjs$|node_modules/.test(path)),
      [],
    );
    t.diagnostic(`${(packed.size / MB).toFixed(2)} MB packed, ${packed.files.length} files`);
    assert.ok(packed.size < (hasBurn ? 20 : 14.5) * MB, `${packed.size} bytes`);
  });

  it('states the licences of code, weights and sample, and of every crate in the wasm', () => {
    const { license } = JSON.parse(readFileSync(join(root, 'pkg/package.json'), 'utf8'));
    assert.equal(license, '(MIT OR Apache-2.0) AND CC-BY-SA-4.0');
    const at = join(folder, 'node_modules/insitu-seg');
    assert.match(readFileSync(join(at, 'NOTICE.md'), 'utf8'), /weights.*CC-BY-SA-4.0/);
    assert.match(JSON.parse(readFileSync(join(at, 'models/hippocampus/model.json'), 'utf8')).licence, /CC-BY-SA-4.0/);
    assert.match(readFileSync(join(at, 'samples/hippocampus/README.md'), 'utf8'), /CC-BY-SA 4\.0/);
    const crates = readFileSync(join(at, 'THIRD-PARTY.md'), 'utf8');
    for (const crate of ['wgpu', 'naga', 'wasm-bindgen', 'flate2', 'rayon', 'serde', 'pulp'])
      assert.match(crates, new RegExp(`^- ${crate} \\d.*(MIT|Apache)`, 'm'));
    assert.doesNotMatch(crates, /^- (clap|proptest) /m);
    assert.equal(/^- burn /m.test(crates), hasBurn);
  });

  it('has an address that bundlers see for every file of its models', () => {
    const literal = [
      ...readFileSync(join(root, 'pkg/shipped.js'), 'utf8').matchAll(/new URL\('\.\/(models\/[^']+)', import\.meta\.url\)/g),
    ];
    const shipped = packed.files.map(({ path }) => path).filter((path) => path.startsWith('models/'));
    assert.deepEqual(literal.map(([, path]) => path).sort(), shipped.sort());
  });

  it('is clean to publint', () => {
    const said = runIn(root, 'npx', 'publint', 'run', packed.tarball, '--strict');
    assert.match(said, /All good!/);
  });

  it('is clean to @arethetypeswrong/cli', () => {
    const untyped = ['worker', 'opfs-worker', 'wasm/*', 'models/*', 'samples/*'];
    runIn(root, 'npx', 'attw', packed.tarball, '--profile', 'esm-only', '--exclude-entrypoints', ...untyped);
  });

  it('has types that TypeScript takes in strict mode', () => {
    const at = join(folder, 'apps/typescript');
    const text = readFileSync(join(root, 'tests/web/use.ts'), 'utf8');
    write(at, { 'package.json': '{ "private": true, "type": "module" }', 'use.ts': text });
    for (const resolution of ['bundler', 'nodenext']) {
      const module = resolution === 'nodenext' ? 'nodenext' : 'esnext';
      runIn(
        at,
        join(root, 'node_modules/.bin/tsc'),
        '--strict',
        '--noEmit',
        '--exactOptionalPropertyTypes',
        '--target',
        'es2022',
        '--lib',
        'es2022,dom,dom.iterable',
        '--module',
        module,
        '--moduleResolution',
        resolution,
        'use.ts',
      );
    }
  });
});

describe('the README', () => {
  it('names the headers with which the tests get threads', () => {
    const headers = snippets()
      ['headers.txt'].trim()
      .split('\n')
      .map((line) => line.toLowerCase().split(': '));
    assert.deepEqual(Object.fromEntries(headers), ISOLATION);
  });

  it('is made into a reference with the types, without a warning', () => {
    runIn(root, 'npx', 'typedoc', '--out', join(folder, 'api'));
    assert.match(readFileSync(join(folder, 'api/index/functions/createSegmenter.md'), 'utf8'), /Segmenter/);
  });
});
