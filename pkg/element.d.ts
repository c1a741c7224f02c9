/**
 * `<insitu-segmenter>`: drop a NIfTI or MGH file, see the mask, save it. Importing this module defines the element.
 * @module
 */
import type { Input, InsituError, Progress, Segmentation } from './index.js';

/**
 * Attributes `model`, `backend` and `assets` are the options of `createSegmenter`, read when the element is put into a page;
 * taken out of it, it frees worker and GPU.
 */
export class InsituSegmenter extends HTMLElement {
  /** The last mask, or null. */
  readonly result: Segmentation | null;
  /** What dropping a file does; resolves to null where there is no mask, and the element says why. */
  open(input: Input): Promise<Segmentation | null>;
}

declare global {
  interface HTMLElementTagNameMap {
    'insitu-segmenter': InsituSegmenter;
  }
  interface HTMLElementEventMap {
    'insitu-progress': CustomEvent<Progress>;
    'insitu-result': CustomEvent<Segmentation>;
    'insitu-error': CustomEvent<InsituError>;
  }
}
