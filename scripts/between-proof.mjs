#!/usr/bin/env node
/**
 * Probabilities read between voxels against nearest labels, where a file's grid is not the network's: validation cases of fold 0 (of eight) with
 * every second or third slice alone, image and true labels alike, so that the truth is known on the file's own grid.
 *
 * `node scripts/between-proof.mjs`, about a minute; needs ../shared/data and a Python with nibabel ($PYTHON).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { insitu } from './insitu.mjs';
import { nibabel, root, run } from './tools.mjs';

const IDS = [3, 4, 39, 40, 56, 87, 88, 123, 124, 145, 146, 184, 205, 227, 228, 257, 277, 303, 304, 325, 326, 345, 370, 387];
const AXES = ['first', 'second', 'third'];
const python = process.env.PYTHON ?? nibabel();
const data = join(root, '../shared/data/Task04_Hippocampus');
const work = mkdtempSync(join(tmpdir(), 'insitu-between-'));
const lines = [];
for (const [axis, step] of [
  [1, 2],
  [2, 2],
  [2, 3],
]) {
  const at = (name) => join(work, `${axis}-${step}`, name);
  const made = await run(
    python,
    ['scripts/shift_cases.py', '--data', data, '--out', at(''), '--thin', axis, step, '--ids', ...IDS].map(String),
  );
  if (!made) process.exit(2);
  const images = readdirSync(at('images')).map((name) => join(at('images'), name));
  for (const [how, more] of [
    ['between voxels', []],
    ['nearest labels', ['--nearest']],
  ]) {
    await insitu('segment', ...images, '--out-dir', at(how), '--backend', 'cpu', ...more);
    await insitu('evaluate', '--truth', at('labels'), '--pred', at(how), '--json', at(`${how}.json`));
    const { mean } = JSON.parse(readFileSync(at(`${how}.json`)));
    const figures = Object.values(mean).map(({ dsc, nsd }) => `${dsc.toFixed(4)} (NSD ${nsd.toFixed(4)})`);
    lines.push(`${step} mm along the ${AXES[axis]} axis, ${how}: Dice ${figures.join(', ')}`);
  }
}
rmSync(work, { recursive: true });
console.log(`\n${lines.join('\n')}`);
