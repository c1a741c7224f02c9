/**
 * Masks into NiiVue, strokes out of it. NiiVue itself is not imported: every function takes your instance (tested with
 * @niivue/niivue 0.69).
 * @module
 */
import type { Segmentation, Triple } from './index.js';

/** What these functions use of a NiiVue volume. */
export interface NiivueVolume {
  hdr: { dims: number[] } | null;
  dimsRAS?: number[];
  img2RASstep?: number[];
  img2RASstart?: number[];
}

/** What these functions use of a `Niivue`. */
export interface NiivueLike {
  volumes: NiivueVolume[];
  drawBitmap: Uint8Array | null;
  addVolume(volume: never): void;
  removeVolume(volume: never): void;
  setDrawColormap(colormap: never): void;
  createEmptyDrawing(): void;
  refreshDrawing(isForceRedraw?: boolean): void;
}

/** A voxel that nobody drew on: 255. */
export const NOT_ANNOTATED: 255;

/** Lays a mask over the first volume, in the colours of its classes, in the place of the one before. Gives NiiVue's volume. */
export function showMask(nv: NiivueLike, segmentation: Segmentation, options?: { opacity?: number }): Promise<unknown>;

/** Takes the mask of `showMask` away again. */
export function hideMask(nv: NiivueLike): void;

/** Makes a mask NiiVue's drawing, to be corrected with its pens: pen value and label are the same number. */
export function editMask(nv: NiivueLike, segmentation: Segmentation): Promise<void>;

/**
 * What was drawn, as labels on the grid of the image's own file, x fastest. With `strokes`, voxels that nobody drew on are
 * `NOT_ANNOTATED`, and those drawn with the pen `background` are label 0; without it, the drawing is the whole mask.
 */
export function drawnLabels(
  nv: NiivueLike,
  options?: { strokes?: boolean; background?: number },
): { labels: Uint8Array<ArrayBuffer>; dims: Triple };
