/** Undo, redo and everything between: 20,000 random sequences from a seed that is printed, and the faults that they find. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { Editor } from '../../www/edit/editor.js';
import { gridOf } from '../../www/edit/grid.js';
import { run, sequences } from './actions.mjs';

const SEED = Number(process.env.INSITU_SEED ?? 20261129);
const SEQUENCES = Number(process.env.INSITU_SEQUENCES ?? 20_000);
const EDIT = fileURLToPath(new URL('../../www/edit', import.meta.url));

/** What each mend undone would be: [file, what stands there, what stood there or might] once or more, and what the sequences find. */
const FAULTS = {
  'undo in the middle of a stroke takes back the entry below it': [
    /after undo/,
    ['history.js', 'this.close();\n    this.moves++;', 'this.moves++;'],
  ],
  'a run, or another edit, that ends during a stroke lies within it': [
    /^(labels|base|rows|entries) after/,
    ['history.js', 'push(entry) {\n    this.close();', 'push(entry) {'],
    ['segmentation.js', 'this.history.close();\n    const edit', 'const edit'],
  ],
  'after undo of the run the brush paints a label that no row shows': [
    /painted and not listed/,
    ['segmentation.js', 'if (!of.isListed(value)) this.row', 'if (false) this.row'],
  ],
  'undo of a rename gives back the row that it found, unlocked and shown': [
    /(shown|hidden|locked)/,
    ['editor.js', "const before = 'name' in after ? { name: row.name } : { color: row.color };", 'const before = row;'],
  ],
  'the run of one object leaves its old voxels where they lay over another': [
    /left behind by the run of its object/,
    ['merge.js', '(others && now === 0)', 'others'],
  ],
  'a run leaves old voxels where a locked label may not grow': [
    /left behind/,
    ['merge.js', 'isLocked(next) ? 0 : next', 'isLocked(next) ? here : next'],
  ],
  'a class of a run goes by the name of a label that a person has added': [
    /is listed as/,
    ['merge.js', 'className === undefined ? index === one.index : className === one.name', 'index === one.index'],
  ],
  'a label that comes back is no longer hidden or locked': [
    /shown and locked/,
    ['table.js', 'change.row = table.find(({ index }) => index === row.index) ?? row;', ''],
  ],
  'volumes do not follow undo': [/and a volume of/, ['change.js', 'counts[back ? before : after] += end - start;', '']],
  'a stroke that was taken back goes on': [/that was taken back/, ['editor.js', ' || this.history.moves !== moves', '']],
};

/** @param {{ Editor: any, gridOf: any }} modules */
function search(modules) {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  let actions = 0;
  const property = fc.property(sequences, (sequence) => {
    actions += sequence.length;
    run(modules, sequence);
  });
  const result = fc.check(property, { seed: SEED, numRuns: SEQUENCES });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const { user, system } = process.cpuUsage(cpu);
  const computing = ((user + system) / 1e6).toFixed(1);
  const said = `seed ${SEED}: ${result.numRuns} sequences, ${actions} actions in ${seconds} s, ${computing} s of computing`;
  const sequence = result.counterexample?.[0].map((one) => JSON.stringify(one)) ?? [];
  return { failed: result.failed, said, message: result.errorInstance?.message ?? '', sequence };
}

describe('a segmentation under correction', () => {
  it('is one consistent state, whatever is done to it in whatever order', (t) => {
    const { failed, said, message, sequence } = search({ Editor, gridOf });
    t.diagnostic(said);
    assert.ok(!failed, [said, message, ...sequence].join('\n'));
  });
});

describe('random sequences find', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'insitu-history-'));
  writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }');
  after(() => rmSync(scratch, { recursive: true }));
  for (const [fault, [found, ...reverts]] of Object.entries(FAULTS)) {
    it(fault, async (t) => {
      const folder = mkdtempSync(join(scratch, 'edit-'));
      cpSync(EDIT, folder, { recursive: true });
      for (const [file, mended, reverted] of reverts) {
        const source = readFileSync(join(folder, file), 'utf8');
        assert.equal(source.split(mended).length, 2, `${file} has the mend once: ${mended}`);
        writeFileSync(join(folder, file), source.replace(mended, reverted));
      }
      const modules = await Promise.all(['editor.js', 'grid.js'].map((name) => import(pathToFileURL(join(folder, name)).href)));
      const { failed, said, message, sequence } = search(Object.assign({}, ...modules));
      t.diagnostic(`${message.split('\n')[0]}: ${sequence.join(' ')}`);
      assert.ok(failed, `not found; ${said}`);
      assert.match(message, found);
    });
  }
});
