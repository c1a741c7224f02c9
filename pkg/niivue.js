/**
 * Masks into NiiVue, strokes out of it. It imports nothing of NiiVue: the caller's instance brings all that is needed,
 * so that there is one NiiVue in a page, and of the caller's version.
 */
/** @import { LabelClass, Segmentation } from './index.js' */
/** @import { NiivueLike, NiivueVolume } from './niivue.js' */
import { InsituError } from './error.js';

/** What a voxel that nobody drew on is called where labels are learned from. @type {typeof import('./niivue.js').NOT_ANNOTATED} */
export const NOT_ANNOTATED = 255;

/** @typedef {{ R: number[], G: number[], B: number[], A: number[], I: number[], labels: string[] }} Colormap */
/** @typedef {NiivueVolume & { setColormapLabel(colormap: Colormap): void }} MaskVolume */
/** @typedef {{ loadFromUrl(options: { url: ArrayBuffer, name: string, opacity: number }): Promise<MaskVolume> }} VolumeClass NiiVue's NVImage */

/** The methods of NiiVue that take what it made itself. @typedef {{ addVolume(volume: NiivueVolume): void, removeVolume(volume: NiivueVolume): void, setDrawColormap(colormap: Colormap): void }} Methods */

/** @param {NiivueLike} nv */
const methodsOf = (nv) => /** @type {NiivueLike & Methods} */ (nv);

/** @type {WeakMap<NiivueLike, NiivueVolume>} */
const masks = new WeakMap();

/** Lays a mask over the first volume, in the colours of its classes, in the place of the one before. @type {typeof import('./niivue.js').showMask} */
export async function showMask(nv, segmentation, { opacity = 0.6 } = {}) {
  const NVImage = /** @type {VolumeClass} */ (/** @type {unknown} */ (imageOf(nv).constructor));
  const mask = await NVImage.loadFromUrl({ url: segmentation.toNifti().slice().buffer, name: 'mask.nii.gz', opacity });
  mask.setColormapLabel(colormap(segmentation.classes));
  hideMask(nv);
  methodsOf(nv).addVolume(mask);
  masks.set(nv, mask);
  return mask;
}

/** Removes the mask of `showMask`. @type {typeof import('./niivue.js').hideMask} */
export function hideMask(nv) {
  const mask = masks.get(nv);
  if (mask && nv.volumes.includes(mask)) methodsOf(nv).removeVolume(mask);
  masks.delete(nv);
}

/** Makes a mask the drawing, to be corrected with NiiVue's pens. Pen value and label are the same number. @type {typeof import('./niivue.js').editMask} */
export async function editMask(nv, segmentation) {
  const image = imageOf(nv);
  const { step, start, dims } = wayOut(image);
  checkGrid(segmentation.dims, image);
  hideMask(nv);
  nv.createEmptyDrawing();
  const drawing = new Uint8Array(segmentation.labels.length);
  eachVoxel(dims, step, start, (drawn, voxel) => (drawing[drawn] = segmentation.labels[voxel]));
  nv.drawBitmap = drawing;
  methodsOf(nv).setDrawColormap(colormap(segmentation.classes));
  nv.refreshDrawing(true);
}

/**
 * What was drawn, as labels on the grid of the image's own file, x fastest. With `strokes`, voxels that nobody drew on are
 * NOT_ANNOTATED, and those drawn with the pen `background` are label 0; without, the drawing is the whole mask.
 * @type {typeof import('./niivue.js').drawnLabels}
 */
export function drawnLabels(nv, { strokes = false, background } = {}) {
  const image = imageOf(nv);
  const { step, start, dims } = wayOut(image);
  const labels = new Uint8Array(dims[0] * dims[1] * dims[2]);
  const drawing = nv.drawBitmap ?? new Uint8Array(labels.length);
  const label = (/** @type {number} */ pen) => (pen === background ? 0 : pen === 0 && strokes ? NOT_ANNOTATED : pen);
  eachVoxel(dims, step, start, (drawn, voxel) => (labels[voxel] = label(drawing[drawn])));
  return { labels, dims: fileDims(image) };
}

/** @param {NiivueLike} nv */
function imageOf(nv) {
  const [image] = nv?.volumes ?? [];
  if (!image) throw new InsituError('argument', 'Expected a NiiVue instance that shows a volume, found one without: load the image first.');
  return image;
}

/** @param {NiivueVolume} image */
const fileDims = ({ hdr }) => /** @type {import('./index.js').Triple} */ ((hdr?.dims ?? []).slice(1, 4));

/** @param {number[]} dims @param {NiivueVolume} image */
function checkGrid(dims, image) {
  const shown = fileDims(image);
  if (dims.every((side, i) => side === shown[i])) return;
  throw new InsituError(
    'argument',
    `Expected the mask of the image that NiiVue shows (${shown.join(' x ')} voxels), found one of ${dims.join(' x ')}.`,
  );
}

/** NiiVue draws in RAS order; these lead from a drawn voxel to the file's. @param {NiivueVolume} image */
function wayOut({ img2RASstep: step, img2RASstart: start, dimsRAS }) {
  if (!step || !start || !dimsRAS) throw new InsituError('argument', 'Expected a volume that NiiVue has drawn, found one that it has not.');
  return { step, start, dims: dimsRAS.slice(1, 4) };
}

/** @param {number[]} dims @param {number[]} step @param {number[]} start @param {(drawn: number, voxel: number) => void} visit */
function eachVoxel([nx, ny, nz], step, start, visit) {
  let drawn = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = start[0] + start[1] + y * step[1] + start[2] + z * step[2];
      for (let x = 0; x < nx; x++) visit(drawn++, row + x * step[0]);
    }
  }
}

/** Classes as NiiVue's table of label colours; label 0 is see-through. @param {LabelClass[]} classes */
function colormap(classes) {
  const shown = classes.filter(({ index }) => index !== 0);
  const channel = (/** @type {number} */ at) => [0, ...shown.map(({ color }) => parseInt(color.slice(at, at + 2), 16))];
  const I = [0, ...shown.map(({ index }) => index)];
  return {
    R: channel(1),
    G: channel(3),
    B: channel(5),
    A: [0, ...shown.map(() => 255)],
    I,
    labels: ['', ...shown.map(({ name }) => name)],
  };
}
