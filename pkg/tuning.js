/**
 * What was tuned of a model, step by step: the file of tuned weights that holds now, and those before it. The engine may be
 * replaced at any time; what is kept here is what the next one starts with.
 */
import { InsituError } from './error.js';
import { keepInput, readInput } from './input.js';

/** The label of a voxel that nobody has annotated. */
const UNKNOWN = 255;

export class Tuning {
  #supervisor;
  #history = [];
  #base;

  constructor(supervisor) {
    this.#supervisor = supervisor;
    this.#base = supervisor.files.card;
  }

  /** The file of tuned weights, or undefined where the model is as it came. */
  get tuned() {
    return this.#supervisor.files.tuned;
  }

  /** Whether there is something to go back to. */
  get canRevert() {
    return this.tuned !== undefined;
  }

  /** Takes the answer of the engine; its report. */
  take({ report, delta, card }) {
    if (delta) {
      this.#history.push(this.tuned);
      this.#set(delta, card);
    }
    return report;
  }

  /** What `revert` goes back to. */
  get before() {
    if (!this.canRevert) throw new InsituError('argument', 'This model is as it came: there is nothing to revert.');
    return this.#history.at(-1);
  }

  /** One step back; `card` is what the engine says the model then is. */
  reverted({ card }) {
    const before = this.#history.pop();
    this.#set(before, card);
  }

  #set(tuned, card) {
    const { files } = this.#supervisor;
    this.#supervisor.files = { ...files, tuned, card: tuned ? JSON.parse(new TextDecoder().decode(card)) : this.#base };
  }
}

/**
 * Cases as nobody can change them any more.
 * @param {import('./index.d.ts').TuneCase[]} cases
 */
export function keepCases(cases) {
  if (!Array.isArray(cases) || cases.length === 0) {
    throw new InsituError('argument', 'Expected a list of cases, { image, labels, annotated? } each, found none.');
  }
  return cases.map(({ image, labels, annotated, name }, index) => {
    const kept = { image: keepInput(image), name: name ?? (image instanceof File ? image.name : `case ${index + 1}`) };
    const voxels = labels instanceof Uint8Array && !isNifti(labels);
    if (!voxels) {
      if (annotated)
        throw new InsituError(
          'argument',
          `${kept.name}: with annotated, labels must be one per voxel, as segmentation.labels; found a file.`,
        );
      return { ...kept, labelFile: keepInput(labels) };
    }
    if (annotated && annotated.length !== labels.length) {
      throw new InsituError('argument', `${kept.name}: annotated has ${annotated.length} voxels, labels have ${labels.length}.`);
    }
    return { ...kept, labels: annotated ? labels.map((label, i) => (annotated[i] ? label : UNKNOWN)) : labels.slice() };
  });
}

/** Whether bytes are a NIfTI file, plain or gzipped, and not labels: these are below 3 or 255, and never begin like this. */
function isNifti(bytes) {
  const [a, b, c, d] = bytes;
  const size = a | (b << 8) | (c << 16) | (d << 24);
  return (a === 0x1f && b === 0x8b) || size === 348 || size === 540;
}

/** Cases as the engine takes them, in buffers of their own. */
export async function readCases(kept) {
  return Promise.all(
    kept.map(async ({ image, name, labels, labelFile }) => {
      const { bytes, voxels } = await readInput(image);
      if (labels) return { name, bytes, voxels, labels: labels.slice() };
      const file = await readInput(labelFile);
      return { name, bytes, voxels, labelFile: file.bytes, labelVoxels: file.voxels };
    }),
  );
}
