/**
 * A model of two objects by formula, in a body of one grey: bright is left, dark is right. What is brighter or darker than its
 * surroundings by itself passes from the stem to the head; all else in the network is zero. The whole network tells both apart, the
 * patch network finds either in its box. Each object has two labels, of which the second is never seen.
 */
import { createHash } from 'node:crypto';
import { makeNifti } from './nifti.mjs';

const BASE = 2;

/** Names and shapes of the network's weights, as src/model.rs lists them for plain blocks. */
function shapesOf(outputs) {
  const width = (level) => BASE << level;
  const convNorm = (name, to, from) => [
    [`${name}.conv.weight`, [to, from, 3, 3, 3]],
    [`${name}.norm.beta`, [to]],
    [`${name}.norm.gamma`, [to]],
  ];
  const block = (name, to, from) => [...convNorm(`${name}.a`, to, from), ...convNorm(`${name}.b`, to, to)];
  const up = (level) => [
    [`up.${level}.weight`, [width(level + 1), width(level), 2, 2, 2]],
    [`up.${level}.norm.beta`, [width(level)]],
    [`up.${level}.norm.gamma`, [width(level)]],
  ];
  return [
    ...convNorm('stem', width(0), 1),
    ...[1, 2, 3].flatMap((level) => block(`down.${level - 1}`, width(level), width(level - 1))),
    ...[2, 1, 0].flatMap(up),
    ...[2, 1].flatMap((level) => block(`merge.${level - 1}`, width(level), 2 * width(level))),
    ...convNorm('head', width(0), 2 * width(0)),
    ['out.weight', [outputs, BASE, 1, 1, 1]],
    ['out.bias', [outputs]],
  ];
}

/** A safetensors file of zeros but for some values: { name: { index: value } }. */
function weightsOf(shapes, values) {
  const header = {};
  const parts = [];
  let at = 0;
  for (const [name, shape] of shapes) {
    const numbers = new Float32Array(shape.reduce((a, b) => a * b));
    for (const [index, value] of Object.entries(values[name] ?? {})) numbers[index] = value;
    header[name] = { dtype: 'F32', shape, data_offsets: [at, (at += numbers.byteLength)] };
    parts.push(Buffer.from(numbers.buffer));
  }
  return Buffer.concat([headed(header), ...parts]);
}

/** The header of a safetensors file, after its length. */
function headed(header) {
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text]);
}

/** Of a 3^3 kernel the middle, of output `to` and input `from` out of `inputs`. */
const middle = (to, from, inputs) => (to * inputs + from) * 27 + 13;

/** Bright and dark, each by a channel of its own. */
const PASSES = {
  'stem.conv.weight': { [middle(0, 0, 1)]: 1, [middle(1, 0, 1)]: -1 },
  'stem.norm.gamma': [1, 1],
  'head.conv.weight': { [middle(0, 0, 4)]: 1, [middle(1, 1, 4)]: 1 },
  'head.norm.gamma': [1, 1],
};

const LABELS = [
  ['Left front', '#e69f00'],
  ['Left back', '#56b4e9'],
  ['Right front', '#009e73'],
  ['Right back', '#f0e442'],
];

/** Files of the model's folder, by their names. `objects`: one or both of its objects; `isBlind`: its patch network sees nothing. */
export function modelFiles({ objects = ['left', 'right'], measured = ['intracranial'], isBlind = false } = {}) {
  // Logits in whole standard deviations of the head's values, ten times: bright minus 2, dark minus 2, and all of it.
  const seen = { left: [10, 0], right: [0, 10] };
  const outputs = objects.length + measured.length;
  const whole = weightsOf(shapesOf(outputs), {
    ...PASSES,
    'out.weight': objects.flatMap((name) => seen[name]),
    'out.bias': [...objects.map(() => -20), ...measured.map(() => 10)],
  });
  const patch = weightsOf(shapesOf(2), { ...PASSES, 'out.weight': [10, 10], 'out.bias': [isBlind ? -10_000 : -8, -10_000] });
  const architecture = (outputs) => ({ base: BASE, depth: 3, inputs: 1, outputs, blocks: 'plain' });
  const stage = (file, bytes, outputs) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { architecture: architecture(outputs), folds: [{ fold: 0, file, sha256, steps: 1, validation_dice: [], command: '' }] };
  };
  const several = objects.length > 1;
  const card = {
    format: 1,
    name: 'hippocampus',
    title: 'Two objects by formula',
    task: 'none',
    labels: LABELS.filter(([name]) => objects.some((object) => name.toLowerCase().startsWith(object))).map(([name, color], i) => ({
      index: i + 1,
      name,
      color,
    })),
    modalities: ['anything'],
    intensity: { kind: 'mr' },
    preset: { min_box: 16, min_side: 16, margin: 0.2, max_voxels: 200_000 },
    field_mm: { min: [18, 20, 18], max: [22, 28, 22] },
    ...(several ? { objects: objects.map((name) => ({ name, mirror: name === 'right' })), measured, normalize_box: true } : {}),
    stages: { whole: stage('whole-0.safetensors', whole, outputs), patch: stage('patch-0.safetensors', patch, 2) },
    training_data: '',
    licence: '',
    intended_use: '',
    limits: '',
  };
  return { 'model.json': Buffer.from(JSON.stringify(card)), 'whole-0.safetensors': whole, 'patch-0.safetensors': patch };
}

/** Numbers as 16 bits, whole ones up to 2048 and multiples of 32 up to 65504 exactly. */
function halves(numbers) {
  const bits = (number) => {
    if (number === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(number)));
    return (number < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.round((Math.abs(number) / 2 ** exponent - 1) * 1024);
  };
  return Buffer.from(Uint16Array.from(numbers, bits).buffer);
}

/** Tuned weights of a model, as tuning writes them: `tensors` by their paths, of one axis each; `variant`: the name under which they were kept. */
export function deltaOf(files, tensors, { base = 'hippocampus', variant } = {}) {
  const { stages } = JSON.parse(files['model.json']);
  const hashes = Object.fromEntries(Object.entries(stages).map(([name, { folds }]) => [name, folds[0].sha256]));
  const about = JSON.stringify({
    base,
    files: hashes,
    variant: null,
    domain: [],
    report: {},
    licence: '',
    standing: variant ? { variant } : 'accepted',
  });
  const header = { __metadata__: { insitu_delta: '1', about } };
  const parts = [];
  let at = 0;
  for (const [name, numbers] of Object.entries(tensors)) {
    const bytes = halves(numbers);
    header[name] = { dtype: 'F16', shape: [numbers.length], data_offsets: [at, (at += bytes.length)] };
    parts.push(bytes);
  }
  return Buffer.concat([headed(header), ...parts]);
}

/** A file that the built page has among its model's, for the network of whole scans. */
const SCAN_FILE = 'patch-1.safetensors';

/** A model of one object, the left one, that takes whole scans with both. */
export function scanModelFiles() {
  const [crops, heads] = [modelFiles({ objects: ['left'], measured: [] }), modelFiles()];
  const [card, { labels, objects, measured, preset, stages }] = [crops, heads].map((files) => JSON.parse(files['model.json']));
  stages.whole.folds[0].file = SCAN_FILE;
  card.labels = card.labels.map((label) => ({ ...label, name: label.name.replace('Left ', '') }));
  card.modalities = ['a part'];
  card.scan = {
    labels,
    objects,
    measured,
    modalities: ['a whole body'],
    preset,
    field_mm: { min: [50, 45, 40], max: [70, 60, 50] },
    whole: stages.whole,
    training_data: '',
  };
  return { ...crops, 'model.json': Buffer.from(JSON.stringify(card)), [SCAN_FILE]: heads['whole-0.safetensors'] };
}

export const DIMS = [60, 52, 44];

/** Where the objects lie, in voxels. */
export const PLACES = { left: { start: [8, 12, 10], end: [20, 28, 20] }, right: { start: [42, 13, 11], end: [52, 27, 20] } };
const BODY = 500;
const GREY = { left: 1000, right: 100 };

export const sizeOf = (name) => PLACES[name].end.reduce((size, end, axis) => size * (end - PLACES[name].start[axis]), 1);

/** Beside the dark object the whole network does not see it; in a box of its own the patch network does. */
export const FAINT = 515;

/** A body of grey 500 with some of the objects, at 1 mm. */
export function imageFile(names = ['left', 'right'], grey = GREY, middle = BODY) {
  const values = new Int16Array(DIMS[0] * DIMS[1] * DIMS[2]).fill(BODY);
  for (const name of names) {
    const { start, end } = PLACES[name];
    for (let z = start[2]; z < end[2]; z++) {
      for (let y = start[1]; y < end[1]; y++) {
        const row = DIMS[0] * (y + DIMS[1] * z);
        values.fill(grey[name], row + start[0], row + end[0]);
      }
    }
  }
  const [x, y, z] = DIMS.map((n) => n >> 1);
  values[x + DIMS[0] * (y + DIMS[1] * z)] = middle;
  const affine = [
    [1, 0, 0, -30],
    [0, 1, 0, -20],
    [0, 0, 1, -18],
  ];
  return makeNifti({ dims: DIMS, affine, values, spacing: [1, 1, 1] });
}
