#!/usr/bin/env node
/**
 * `npm run check:layers`: the imports of pkg/ and www/ against the rules of .dependency-cruiser.cjs, and the sizes of files and
 * functions. `-- FOLDER` checks a copy of the checkout.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { root } from './tools.mjs';

const FOLDERS = ['pkg', 'www', 'examples', 'scripts'];
/** Generated, fetched or data. */
const SKIPPED = new Set(['node_modules', 'dist', 'wasm', 'models', 'samples', 'made']);
const MOST_LINES = { file: 320, function: 60 };

/** All source files below a folder. */
function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : sourcesIn(path);
    return /\.(m?jsx?|ts|css|html)$/.test(entry.name) ? [path] : [];
  });
}

/** The functions of a file that are too long, a sentence each. */
function longFunctions(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const lineOf = (at) => source.getLineAndCharacterOfPosition(at).line;
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart(source)) + 1;
      if (lines > MOST_LINES.function) found.push(`a function of ${lines} lines at line ${lineOf(node.getStart(source)) + 1}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function tooLong(at) {
  return FOLDERS.flatMap((folder) => sourcesIn(join(at, folder))).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    const lines = text.split('\n').length - 1;
    const found = /\.(m?jsx?|ts)$/.test(path) ? longFunctions(path, text) : [];
    if (lines > MOST_LINES.file) found.push(`${lines} lines`);
    return found.map((what) => `${relative(at, path)}: ${what}, at most ${what.startsWith('a') ? MOST_LINES.function : MOST_LINES.file}`);
  });
}

const at = resolve(process.argv[2] ?? root);
const config = join(root, '.dependency-cruiser.cjs');
const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const { status } = spawnSync(process.execPath, [cruiser, '--config', config, 'pkg', 'www'], { cwd: at, stdio: 'inherit' });
const sentences = tooLong(at);
for (const sentence of sentences) console.error(sentence);
process.exit(status === 0 && sentences.length === 0 ? 0 : 1);
