#!/usr/bin/env node
/**
 * Is the cascade worth its two stages? Phantoms of 128^3 voxels at 1 mm with an object of 25 to 40 mm anywhere, among bars
 * and plates of the same brightness. Both stages are trained, and 20 phantoms that no training saw are segmented: with
 * both stages, and with the whole stage replaced by ones, so that the patch network sees all of the volume.
 *
 * `node scripts/cascade-proof.mjs [--folder DIR] [--seed N] [--patch STEPS] [--whole STEPS]`: about 3 minutes on 2
 * free cores. Exit status 1 where a figure is not reached.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { insitu, options } from './insitu.mjs';

const { folder, seed, patch, whole } = options({ folder: '', seed: '1', patch: '450', whole: '150' });
const home = folder || mkdtempSync(join(tmpdir(), 'insitu-cascade-'));
const at = (...names) => join(home, ...names);
const SIDE = 128;

await insitu('phantom', '--task', 'cascade', '--out', at('data'), '--cases', 40, '--test', 20, '--seed', seed);
const common = ['--data', at('data'), '--model', at('model'), '--base', 4, '--rate', '4e-3', '--seed', seed, '--backend', 'cpu'];
await insitu('train', ...common, '--stage', 'patch', '--steps', patch, '--log', at('patch.csv'));
await insitu(
  'train',
  ...common,
  '--stage',
  'whole',
  '--steps',
  whole,
  '--log',
  at('whole.csv'),
  '--init',
  at('model', 'patch-0.safetensors'),
);

const names = readdirSync(at('data', 'imagesTs')).sort();
const images = names.map((name) => at('data', 'imagesTs', name));
for (const [name, ...more] of [['cascade'], ['ones', '--box', `0,0,0,${SIDE},${SIDE},${SIDE}`]]) {
  mkdirSync(at(name), { recursive: true });
  await insitu(
    'segment',
    ...images,
    '--out-dir',
    at(name),
    '--model',
    at('model'),
    '--backend',
    'cpu',
    '--report',
    at(`${name}.json`),
    ...more,
  );
  await insitu('evaluate', '--truth', at('data', 'labelsTs'), '--pred', at(name), '--json', at(`${name}-dice.json`));
}

/** First and one past the last voxel of the object per axis, and its voxels. */
function object(name) {
  const bytes = gunzipSync(readFileSync(at('data', 'labelsTs', name)));
  const voxels = bytes.subarray(bytes.readFloatLE(108));
  const [start, end, places] = [[SIDE, SIDE, SIDE], [0, 0, 0], []];
  voxels.forEach((label, index) => {
    if (label === 0) return;
    const place = [index % SIDE, Math.floor(index / SIDE) % SIDE, Math.floor(index / SIDE ** 2)];
    places.push(place);
    place.forEach((value, axis) => {
      start[axis] = Math.min(start[axis], value);
      end[axis] = Math.max(end[axis], value + 1);
    });
  });
  return { start, end, places };
}

const volume = ({ start, end }) => start.reduce((product, value, axis) => product * (end[axis] - value), 1);
const json = (name) => JSON.parse(readFileSync(at(name)));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const dice = (name) => json(name).cases.map(({ dsc }) => dsc);

const seen = json('cascade.json').map(({ box }, index) => {
  const { places, ...own } = object(names[index]);
  const inside = places.filter((place) => place.every((value, axis) => value >= box.start[axis] && value < box.end[axis]));
  return { inside: inside.length / places.length, ratio: volume(box) / volume(own) };
});
const [kept, ratios] = [seen.map(({ inside }) => inside), seen.map(({ ratio }) => ratio)];
const [both, ones] = [dice('cascade-dice.json'), dice('ones-dice.json')];
console.log(`
${names.length} phantoms that no training saw:
object's voxels inside the box   mean ${mean(kept).toFixed(4)}, least ${Math.min(...kept).toFixed(4)}   (wanted: 0.99 of each)
box / object's own box, volumes  mean ${mean(ratios).toFixed(2)}, most ${Math.max(...ratios).toFixed(2)}   (wanted: 3 at most of each)
Dice of the cascade              mean ${mean(both).toFixed(4)}, least ${Math.min(...both).toFixed(4)}   (wanted: 0.9)
Dice, whole stage all ones       mean ${mean(ones).toFixed(4)}, least ${Math.min(...ones).toFixed(4)}   (wanted: less)`);
const reached = Math.min(...kept) >= 0.99 && Math.max(...ratios) <= 3 && mean(both) >= 0.9 && mean(ones) < mean(both);
console.log(reached ? 'all reached' : 'NOT reached');
process.exit(reached ? 0 : 1);
