/**
 * The page's state, and the events by which everything that shows it hears of a change (`PageEvents` in types.d.ts). What
 * changes the state is in workflow.js, tuning.js and import.js; they know no panel.
 */
/** @import { Case, MaskedCase, NamedBox, PageEvents, Place, Segmenter, Status } from './types.js' */
/** @import { View } from './view.js' */
import { Emitter } from './emitter.js';
import { Tool } from './paint/tool.js';

/** @type {readonly Status[]} */
const BUSY = ['loading', 'opening', 'running', 'tuning'];

/** @extends {Emitter<PageEvents>} */
class State extends Emitter {
  tool = new Tool();
  /** @type {View | null} */
  view = null;
  /** @type {Status} */
  #status = 'loading';
  /** @type {Segmenter | null} */
  #segmenter = null;
  /** @type {Case[]} */
  #cases = [];
  /** @type {Case | null} the open volume */
  current = null;

  get status() {
    return this.#status;
  }

  set status(status) {
    this.#status = status;
    this.emit('status', status);
  }

  get isBusy() {
    return BUSY.includes(this.#status);
  }

  get segmenter() {
    return this.#segmenter;
  }

  set segmenter(segmenter) {
    this.#segmenter = segmenter;
    this.emit('segmenter', segmenter);
  }

  get cases() {
    return this.#cases;
  }

  set cases(cases) {
    this.#cases = cases;
    this.emit('cases', cases);
  }

  /** The open volume, if it has a mask. */
  get masked() {
    const { current } = this;
    return current && hasMask(current) ? current : null;
  }

  /** The labels under correction, if the open volume has any. */
  get editor() {
    return this.current?.editor ?? null;
  }

  /** Whether slices are drawn, which tools and crosshair need. */
  get shownView() {
    return this.view?.hasImage ? this.view : null;
  }

  /** @param {readonly NamedBox[]} boxes of the open volume, in voxels of the grid shown */
  setBoxes(boxes) {
    if (this.current && boxes.length > 0) this.current.boxes = boxes;
    this.emit('boxes', boxes);
  }

  /** Shows and speaks one sentence, beside what a person did last where no place is named. @param {string} sentence @param {Place} [place] */
  announce(sentence, place) {
    this.emit('message', { sentence, place });
  }
}

export const state = new State();

/** @param {Case} one @returns {one is MaskedCase} */
export const hasMask = (one) => Boolean(one.info && one.editor && one.result);

/** Voxels that a person changed since the last run. @param {Case} one */
export function correctedVoxels({ editor }) {
  if (!editor) return 0;
  let count = 0;
  for (let i = 0; i < editor.labels.length; i++) if (editor.labels[i] !== editor.base[i]) count++;
  return count;
}

/** @param {Pick<Case, 'info' | 'editor' | 'checked' | 'corrected' | 'isBroken'>} one @returns {'New' | 'Broken' | 'Open' | 'Masked' | 'Corrected'} */
export function phaseOf(one) {
  if (one.isBroken) return 'Broken';
  if (!one.info) return 'New';
  if (!one.editor) return 'Open';
  return one.editor.history.depth > 1 || one.checked.size > 0 || one.corrected ? 'Corrected' : 'Masked';
}
