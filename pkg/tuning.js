/**
 * What was tuned of a model, step by step: the file of tuned weights that holds now, and those before it. The engine may be
 * replaced at any time; what is kept here is what the next one starts with. And cases to learn from.
 */
/** @import { CaseBytes, RawTuneReport } from './artifacts.js' */
/** @import { ModelCard, TuneCase, TuneReport } from './index.js' */
/** @import { Kept } from './input.js' */
/** @import { Supervisor } from './supervisor.js' */
import { InsituError } from './error.js';
import { imageOf, keepInput } from './input.js';

/** The label of a voxel that nobody has annotated. */
const UNKNOWN = 255;

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

export class Tuning {
  #supervisor;
  /** @type {(Bytes | undefined)[]} */
  #history = [];
  /** What the last tuning made and did not take. @type {Bytes | undefined} */
  #refused;
  #base;

  /** @param {Supervisor} supervisor */
  constructor(supervisor) {
    this.#supervisor = supervisor;
    this.#base = supervisor.files.card;
  }

  /** The file of tuned weights, or undefined where the model is as it came. */
  get delta() {
    return this.#supervisor.files.delta;
  }

  /** Whether there is something to go back to. */
  get canRevert() {
    return this.delta !== undefined;
  }

  /** Goes on with what the engine has tuned, if it was accepted; its report. @param {{ report: RawTuneReport, delta?: Bytes, refused?: Bytes, card: Bytes }} answer @returns {TuneReport} */
  apply({ report: { taken_back: undoneSteps, ...report }, delta, refused, card }) {
    this.#refused = refused;
    if (delta) {
      this.#history.push(this.delta);
      this.#set(delta, card);
    }
    return { ...report, undoneSteps };
  }

  /** What the last tuning made and did not take. */
  get refused() {
    if (!this.#refused) throw new InsituError('argument', 'There are no refused weights: the last tuning was accepted, or took no step.');
    return this.#refused;
  }

  /** Goes on with what was refused, which the engine has named as a variant. @param {{ delta: Bytes, card: Bytes }} answer */
  kept({ delta, card }) {
    this.#history.push(this.delta);
    this.#set(delta, card);
    this.#refused = undefined;
  }

  /** What `revert` goes back to. */
  get before() {
    if (!this.canRevert) throw new InsituError('argument', 'This model is as it came: there is nothing to revert.');
    return this.#history.at(-1);
  }

  /** It began with tuned weights, and `card` is what the engine says the model is. @param {{ card: Bytes }} answer */
  began({ card }) {
    this.#set(this.delta, card);
  }

  /** One step back; `card` is what the engine says the model then is. @param {{ card: Bytes }} answer */
  reverted({ card }) {
    this.#set(this.#history.pop(), card);
  }

  /** @param {Bytes | undefined} delta @param {Bytes} card */
  #set(delta, card) {
    const { files } = this.#supervisor;
    /** @type {ModelCard} */
    const parsed = delta ? JSON.parse(new TextDecoder().decode(card)) : this.#base;
    this.#supervisor.files = { ...files, delta, card: parsed };
  }
}

/** @typedef {{ name: string, image: Kept, labels?: Uint8Array<ArrayBuffer>, labelFile?: Kept }} KeptCase */

/** Cases as nobody can change them any more. @param {TuneCase[]} cases @returns {KeptCase[]} */
export function keepCases(cases) {
  if (!Array.isArray(cases) || cases.length === 0) {
    throw new InsituError('argument', 'Expected a list of cases, { image, labels, annotated? } each, found none.');
  }
  return cases.map(({ image, labels, annotated, name }, index) => {
    const kept = { image: keepInput(image), name: name ?? (image instanceof File ? image.name : `case ${index + 1}`) };
    if (!(labels instanceof Uint8Array) || isFile(labels)) {
      if (annotated) {
        const sentence = `${kept.name}: with annotated, labels must be one per voxel, as segmentation.labels; found a file.`;
        throw new InsituError('argument', sentence);
      }
      return { ...kept, labelFile: keepInput(labels) };
    }
    if (annotated && annotated.length !== labels.length) {
      throw new InsituError('argument', `${kept.name}: annotated has ${annotated.length} voxels, labels have ${labels.length}.`);
    }
    return { ...kept, labels: Uint8Array.from(labels, (label, i) => (annotated && !annotated[i] ? UNKNOWN : label)) };
  });
}

/** A plain .mgh begins as labels may, with 0, 0, 0, 1; but none of them is the first byte of a float32 from 1e-6 to 1e6. @param {Uint8Array} bytes */
const isMgh = ({ 0: a, 1: b, 3: d, 30: spacing }) => a === 0 && b === 0 && d === 1 && spacing >= 0x35 && spacing <= 0x49;

/** Whether bytes are an image's file, plain or gzipped, and not labels: these are below 3 or 255, and never begin like this. @param {Uint8Array} bytes */
function isFile(bytes) {
  const [a, b, c, d] = bytes;
  const size = a | (b << 8) | (c << 16) | (d << 24);
  return (a === 0x1f && b === 0x8b) || size === 348 || size === 540 || isMgh(bytes);
}

/**
 * Cases to learn from or to be judged on, with labels of their own, and the one that the model must not get worse on.
 * @param {KeptCase[]} kept @param {import('./model.js').Model} model its files
 * @returns {{ cases: CaseBytes[], reference?: CaseBytes }}
 */
export function lessonOf(kept, { reference }) {
  const known = reference && { name: 'the reference case', file: reference.image.slice(), labelFile: reference.labels.slice() };
  return { cases: casesOf(kept), reference: known };
}

/** Cases as they are sent to the engine, with labels of their own. @param {KeptCase[]} kept @returns {CaseBytes[]} */
function casesOf(kept) {
  return kept.map(({ image, name, labels, labelFile }) => {
    const { file, voxels } = imageOf(image);
    if (!labelFile) return { name, file, voxels, labels: labels?.slice() };
    const given = imageOf(labelFile);
    return { name, file, voxels, labelFile: given.file, labelVoxels: given.voxels };
  });
}
