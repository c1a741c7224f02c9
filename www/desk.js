/** What lies on the desk: the engine, the view, the tool in hand, the open volumes. Everything else asks here. */
import { Tool } from './paint/tool.js';

/**
 * @typedef {object} Case an open volume
 * @property {string} id
 * @property {string} name of its file, for the names of what is saved
 * @property {string} title
 * @property {import('insitu-seg').Input} input
 * @property {import('insitu-seg').VolumeInfo} [info]
 * @property {import('./edit/editor.js').Editor} [editor] with the first mask
 * @property {import('insitu-seg').Segmentation} [result] of the last run
 * @property {{ start: number[], end: number[] }} [box] in voxels of the grid shown
 * @property {Set<string>} checked slices that a person found right, as 'plane:slice'
 * @property {boolean} [isSample]
 */
export const desk = {
  segmenter: null,
  view: null,
  tool: new Tool(),
  /** @type {Case[]} */
  cases: [],
  /** @type {Case | null} */
  current: null,
};

export const editor = () => desk.current?.editor ?? null;

/** Voxels that a person changed since the last run. */
export function correctedVoxels({ editor: one }) {
  if (!one) return 0;
  let count = 0;
  for (let i = 0; i < one.labels.length; i++) if (one.labels[i] !== one.base[i]) count++;
  return count;
}

/** @returns {'New' | 'Open' | 'Masked' | 'Corrected'} */
export function stateOf(one) {
  if (!one.info) return 'New';
  if (!one.editor) return 'Open';
  return one.editor.history.depth > 1 || one.checked.size > 0 || one.corrected ? 'Corrected' : 'Masked';
}
