#!/usr/bin/env node
/**
 * Do tasks of several channels, of CT and of several labels learn? For each task a set of phantoms is made, both stages are
 * trained, about a minute together on 2 free cores, and phantoms that no training saw are segmented: by probabilities that are
 * read between voxels, and (`--nearest`) by nearest labels, the reference's way. The truth is known on the file's own grid.
 *
 * `node scripts/task-proof.mjs [--tasks 1,3,4] [--patch STEPS] [--whole STEPS] [--folder DIR] [--seed N]`; exit status 1 where the
 * mean Dice of a label is below 0.7. Steps are counted, not minutes, so that the figures are the same on a slower machine.
 */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { insitu, options } from './insitu.mjs';

const { tasks, folder, seed, ...steps } = options({ tasks: '1,3,4', patch: '360', whole: '120', folder: '', seed: '1' });
const home = folder || mkdtempSync(join(tmpdir(), 'insitu-tasks-'));
const WANTED = 0.7;
const lines = [];
let reached = true;
for (const task of tasks.split(',')) {
  const at = (...names) => join(home, `task${task}`, ...names);
  await insitu('phantom', '--task', task, '--out', at('data'), '--cases', 32, '--test', 8, '--seed', seed);
  // The whole stage starts from the patch stage, and has less to learn.
  for (const stage of ['patch', 'whole']) {
    const common = ['--data', at('data'), '--model', at('model'), '--base', 8, '--rate', '4e-3', '--seed', seed, '--backend', 'cpu'];
    await insitu('train', ...common, '--stage', stage, '--steps', steps[stage], '--log', at(`${stage}.csv`));
  }
  const images = readdirSync(at('data', 'imagesTs')).map((name) => at('data', 'imagesTs', name));
  const scores = async (name, ...more) => {
    await insitu('segment', ...images, '--out-dir', at(name), '--model', at('model'), '--backend', 'cpu', ...more);
    await insitu('evaluate', '--truth', at('data', 'labelsTs'), '--pred', at(name), '--task', task, '--json', at(`${name}.json`));
    return JSON.parse(readFileSync(at(`${name}.json`))).mean;
  };
  const between = await scores('masks');
  const nearest = await scores('nearest', '--nearest');
  const { name, labels } = JSON.parse(readFileSync(at('data', 'dataset.json')));
  const words = ({ dsc, nsd }) => `Dice ${dsc.toFixed(4)}, NSD ${nsd.toFixed(4)}`;
  for (const [label, mean] of Object.entries(between)) {
    lines.push(`${name}, ${labels[label]}: ${words(mean)}; by nearest labels ${words(nearest[label])}`);
    reached &&= mean.dsc >= WANTED;
  }
}
console.log(`\nPhantoms that no training saw (wanted: a mean Dice of ${WANTED} or more)`);
lines.forEach((line) => console.log(line));
console.log(reached ? 'all reached' : 'NOT reached');
process.exit(reached ? 0 : 1);
