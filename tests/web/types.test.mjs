/** The declarations, the package and the page cannot drift apart: each drift that is tried is an error of the compiler. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import * as index from '../../pkg/index.js';
import * as niivue from '../../pkg/niivue.js';
import * as session from '../../pkg/session.js';
import { root } from '../../scripts/tools.mjs';

const config = ts.getParsedCommandLineOfConfigFile(
  join(root, 'tsconfig.json'),
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: assert.fail },
);
const host = ts.createCompilerHost(config.options);
const { getSourceFile } = host;
/** Parsed once: only the changed file is another one. */
const parsed = new Map();

/** The program, and its errors, with some texts of files changed: [file, from, to]. */
function check(changes) {
  host.getSourceFile = (path, options, ...rest) => {
    const mine = changes.filter(([file]) => path === join(root, file));
    if (mine.length > 0) {
      const change = (text, [file, from, to]) => {
        assert.ok(text.includes(from), `${file} has no ${from}`);
        return text.replace(from, to);
      };
      return ts.createSourceFile(path, mine.reduce(change, ts.sys.readFile(path)), options, true);
    }
    if (!parsed.has(path)) parsed.set(path, getSourceFile.call(host, path, options, ...rest));
    return parsed.get(path);
  };
  const program = ts.createProgram({ rootNames: config.fileNames, options: config.options, host });
  const errors = program.getSemanticDiagnostics().map(({ file: where, messageText }) => {
    return `${where?.fileName.slice(root.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  return { program, errors };
}

const DRIFTS = {
  'a stage that the declarations do not know': [
    'pkg/segmenter.js',
    "stage: 'start', done: 0",
    "stage: 'begin', done: 0",
    /^pkg\/segmenter\.js: .*"begin"/,
  ],
  'a stage that the page has no words for': [
    'pkg/types/segmenter.d.ts',
    "'suggest' | ",
    "'suggest' | 'polish' | ",
    /^www\/panels\/run\.js: .*polish/,
  ],
  'a stage that is left out': ['pkg/types/tuning.d.ts', "'before' | ", '', /^www\/panels\/teach\.js: .*before/],
  'a timing that the page has no words for': [
    'pkg/types/result.d.ts',
    "'restore';",
    "'restore' | 'polish';",
    /^www\/panels\/result\.js: .*polish/,
  ],
  'a method that nobody wrote': [
    'pkg/types/segmenter.d.ts',
    '  dispose(): void;',
    '  dispose(): void;\n  pause(): void;',
    /^pkg\/segmenter\.js: .*pause/,
  ],
  'a field of the report that nobody fills': [
    'pkg/types/result.d.ts',
    '  gpuSubmits: number;',
    '  gpuSubmits: number;\n  watts: number;',
    /^pkg\/report\.js: .*watts/,
  ],
  'a field that is not declared': ['pkg/support.js', '    recommended,', '    recommended,\n    watts: 1,', /^pkg\/support\.js: .*watts/],
  'a record of a session by another name': ['pkg/session.js', 'return { entry:', 'return { record:', /^pkg\/session\.js: .*entry/],
  'an event that nobody knows': [
    'www/forecast.js',
    "state.emit('plan', null)",
    "state.emit('plans', null)",
    /^www\/forecast\.js: .*"plans"/,
  ],
  'a sentence without its German': ['www/i18n/de.js', '  cancelled:', '  abandoned:', /^www\/i18n\/de\.js: .*abandoned/],
};

const clean = check([]);

describe('the compiler', () => {
  it('finds nothing', () => assert.deepEqual(clean.errors, []));

  it('finds each drift that is tried', async (t) => {
    const { errors } = check(Object.values(DRIFTS).map(([file, from, to]) => [file, from, to]));
    for (const [what, [, , , sentence]] of Object.entries(DRIFTS)) {
      await t.test(what, () =>
        assert.ok(
          errors.some((error) => sentence.test(error)),
          errors.join('\n'),
        ),
      );
    }
  });
});

describe('the names that are declared', () => {
  for (const [file, module] of Object.entries({ 'pkg/index.d.ts': index, 'pkg/session.d.ts': session, 'pkg/niivue.d.ts': niivue })) {
    it(`are those that are there: ${file}`, () => {
      const checker = clean.program.getTypeChecker();
      const symbol = checker.getSymbolAtLocation(clean.program.getSourceFile(join(root, file)));
      const isValue = (one) => (one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one).flags & ts.SymbolFlags.Value;
      const declared = checker.getExportsOfModule(symbol).filter(isValue);
      assert.deepEqual(declared.map(({ name }) => name).sort(), Object.keys(module).sort());
    });
  }
});
