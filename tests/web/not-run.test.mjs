/** A test that cannot run says so where it can be read, and fails where it has to run; no test here skips by itself. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { cannotRun, notRun, required } from '../not-run.mjs';

const folder = mkdtempSync(join(tmpdir(), 'insitu-not-run-'));
after(() => rmSync(folder, { recursive: true }));

describe('a test that lacks something', () => {
  const { INSITU_REQUIRE, INSITU_NOT_RUN } = process.env;
  const list = join(folder, 'list.txt');
  beforeEach(() => Object.assign(process.env, { INSITU_REQUIRE: 'gpu', INSITU_NOT_RUN: list }));
  afterEach(() => {
    rmSync(list, { force: true });
    for (const [name, value] of Object.entries({ INSITU_REQUIRE, INSITU_NOT_RUN })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it('is skipped with the reason, and listed', () => {
    const skipped = [];
    notRun({ name: 'a test', skip: (why) => skipped.push(why) }, 'data', 'there is no data');
    assert.deepEqual(skipped, ['not run: there is no data']);
    assert.equal(readFileSync(list, 'utf8'), 'data\ta test\tthere is no data\n');
  });

  it('fails where it is required, and is not listed', () => {
    process.env.INSITU_REQUIRE = 'python, data';
    assert.throws(() => cannotRun('a test', 'data', 'there is no data'), /INSITU_REQUIRE lists data: there is no data/);
    assert.equal(existsSync(list), false);
  });

  it('has to name it by a word that is known', () => {
    assert.throws(() => required('gpu,date'), /found date, expected some of data, python, gpu/);
    assert.throws(() => cannotRun('a test', 'date', 'no'), /found the need date/);
    assert.deepEqual([...required(' gpu,,python ')], ['gpu', 'python']);
  });
});

it('no test skips by itself', () => {
  const skips = /\bt\.(skip|todo)\(|\.(skip|todo)\(|[{,]\s*skip: (?!.*cannotRun)/;
  for (const folder of ['tests/web', 'tests/faults', 'tests/apps', 'tests/browsers']) {
    for (const name of readdirSync(join(root, folder)).filter((name) => name.endsWith('.mjs') && name !== 'not-run.test.mjs')) {
      const lines = readFileSync(join(root, folder, name), 'utf8').split('\n');
      const found = lines.filter((line) => skips.test(line));
      assert.deepEqual(found, [], `${folder}/${name} skips without saying why: use tests/not-run.mjs`);
    }
  }
});
