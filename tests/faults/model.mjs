/** A small model and an image for it: networks of base 4, trained for some steps on phantoms of 32^3 voxels, by the native command. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ask, root } from '../../scripts/tools.mjs';

const SIDE = 32;
const CASES = 8;
const STEPS = { whole: 60, patch: 240 };

/** The native command, or null where it is not built. */
export function nativeCommand() {
  const target = JSON.parse(ask('cargo', ['metadata', '--format-version', '1', '--no-deps']) ?? '{}').target_directory;
  const command = target && join(target, 'release', 'insitu');
  return command && existsSync(command) ? command : null;
}

/** A repeatable stream of numbers from 0 to 1. */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** An ellipsoid of two halves in noise: { image, label } as NIfTI files. */
function phantom(seed) {
  const next = random(seed);
  const center = [0, 0, 0].map(() => SIDE / 2 + 6 * (next() - 0.5));
  const radius = [0, 0, 0].map(() => 6 + 3 * next());
  const image = new Uint8Array(SIDE ** 3);
  const label = new Uint8Array(SIDE ** 3);
  for (let i = 0; i < SIDE ** 3; i++) {
    const at = [i % SIDE, Math.floor(i / SIDE) % SIDE, Math.floor(i / SIDE ** 2)];
    const distance = at.reduce((sum, x, axis) => sum + ((x - center[axis]) / radius[axis]) ** 2, 0);
    label[i] = distance > 1 ? 0 : at[1] < center[1] ? 2 : 1;
    image[i] = [60, 180, 130][label[i]] + 40 * (next() - 0.5);
  }
  return { image: nifti(image), label: nifti(label) };
}

/** Bytes as a gzipped NIfTI-1 file of 1 mm voxels in RAS. */
function nifti(voxels) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, SIDE, SIDE, SIDE, 1, 1, 1, 1].forEach((size, i) => header.writeInt16LE(size, 40 + 2 * i));
  header.writeInt16LE(2, 70);
  header.writeInt16LE(8, 72);
  [1, 1, 1, 1].forEach((size, i) => header.writeFloatLE(size, 76 + 4 * i));
  header.writeFloatLE(352, 108);
  header.writeUInt8(2, 123);
  header.writeInt16LE(1, 254);
  [280, 300, 320].forEach((at) => header.writeFloatLE(1, at));
  header.write('n+1\0', 344, 'latin1');
  return gzipSync(Buffer.concat([header, voxels]));
}

let files;
/** What a server serves them as: the model in /tiny/, and an image that it has not seen with its labels in /phantom/. */
export function phantomFiles(command) {
  if (files) return files;
  const folder = mkdtempSync(join(tmpdir(), 'insitu-phantoms-'));
  const { image, label } = phantom(99);
  const model = Object.entries(trainModel(command, folder)).map(([name, body]) => [`/tiny/${name}`, body]);
  rmSync(folder, { recursive: true });
  const all = [...model, ['/phantom/image.nii.gz', image], ['/phantom/label.nii.gz', label]];
  files = Object.fromEntries(all.map(([path, body]) => [path, { type: 'application/octet-stream', body }]));
  return files;
}

/** Trains the model in `folder`: the files by name. */
function trainModel(command, folder) {
  const data = join(folder, 'data');
  const training = [];
  for (const kind of ['imagesTr', 'labelsTr']) mkdirSync(join(data, kind), { recursive: true });
  for (let i = 0; i < CASES; i++) {
    const { image, label } = phantom(i + 1);
    const name = `phantom_${String(i + 1).padStart(3, '0')}.nii.gz`;
    writeFileSync(join(data, 'imagesTr', name), image);
    writeFileSync(join(data, 'labelsTr', name), label);
    training.push({ image: `./imagesTr/${name}`, label: `./labelsTr/${name}` });
  }
  const manifest = {
    name: 'Phantoms',
    licence: 'none: made by a test',
    modality: { 0: 'MR' },
    labels: { 0: 'background', 1: 'front', 2: 'back' },
    training,
  };
  writeFileSync(join(data, 'dataset.json'), JSON.stringify(manifest));
  const model = join(folder, 'model');
  for (const [stage, steps] of Object.entries(STEPS)) {
    const args = ['train', '--data', data, '--stage', stage, '--base', '4', '--steps', String(steps), '--model', model, '--backend', 'cpu'];
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  }
  const names = readdirSync(model).filter((name) => name === 'model.json' || name.endsWith('.safetensors'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(model, name))]));
}
