/** `npm run check:layers` passes, and in a copy it fails for each thing that it forbids. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';

const LEFT_OUT = new Set(['node_modules', 'dist', 'wasm', 'models', 'samples', 'made']);
const copy = mkdtempSync(join(tmpdir(), 'insitu-layers-'));
for (const folder of ['pkg', 'www', 'examples', 'scripts']) {
  cpSync(join(root, folder), join(copy, folder), { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
}
after(() => rmSync(copy, { recursive: true }));

function check(at) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check-layers.mjs', at], { cwd: root, encoding: 'utf8' });
  return { passed: status === 0, said: stdout + stderr };
}

const FORBIDDEN = {
  'a back edge in the package': ['pkg/error.js', "import './segmenter.js';\n", /no-cycle: pkg\/error\.js/],
  'a back edge in the page': ['www/state.js', "import './workflow.js';\n", /no-cycle: www\/state\.js/],
  'a workflow that imports a panel': ['www/workflow.js', "import './panels/run.js';\n", /panels-on-top: www\/workflow\.js/],
  'an editor that knows the viewer': ['www/edit/editor.js', "import '../view.js';\n", /edit-alone: www\/edit\/editor\.js/],
  'another user of the generated code': ['pkg/segmenter.js', "import './artifacts.js';\n", /one-user: pkg\/segmenter\.js/],
  'another importer of the generated code': ['pkg/host.js', "import './wasm/cpu/insitu_seg.js';\n", /one-seam: pkg\/host\.js/],
  'a page that reaches into the package': [
    'www/open/import.js',
    "import '../../pkg/error.js';\n",
    /package-by-name: www\/open\/import\.js/,
  ],
  'a long function': ['www/bytes.js', `function long() {\n${'  long();\n'.repeat(60)}}\n`, /www\/bytes\.js: a function of 62 lines/],
  'a long file': ['www/styles/base.css', '\n'.repeat(320), /www\/styles\/base\.css: \d+ lines/],
};

describe('the layers', () => {
  it('are as they should be', () => {
    const { passed, said } = check(copy);
    assert.ok(passed, said);
  });

  it('cannot be otherwise', async (t) => {
    for (const [file, text] of Object.values(FORBIDDEN)) appendFileSync(join(copy, file), text);
    const { passed, said } = check(copy);
    assert.ok(!passed, said);
    for (const [what, [, , sentence]] of Object.entries(FORBIDDEN)) await t.test(`with ${what}`, () => assert.match(said, sentence));
  });
});
