/**
 * Masks into NiiVue, strokes out of it. It imports nothing of NiiVue: the caller's instance brings all that is needed,
 * so that there is one NiiVue in a page, and of the caller's version.
 */
import { InsituError } from './error.js';

/** What a voxel that nobody drew on is called where labels are learned from. */
export const NOT_ANNOTATED = 255;

const masks = new WeakMap();

/** Lays a mask over the first volume, in the colours of its classes, in the place of the one before. */
export async function showMask(nv, segmentation, { opacity = 0.6 } = {}) {
  const { constructor: NVImage } = imageOf(nv);
  const mask = await NVImage.loadFromUrl({ url: segmentation.toNifti().slice().buffer, name: 'mask.nii.gz', opacity });
  mask.setColormapLabel(colormap(segmentation.classes));
  hideMask(nv);
  nv.addVolume(mask);
  masks.set(nv, mask);
  return mask;
}

/** Takes the mask of `showMask` away again. */
export function hideMask(nv) {
  const mask = masks.get(nv);
  if (mask && nv.volumes.includes(mask)) nv.removeVolume(mask);
  masks.delete(nv);
}

/** Makes a mask the drawing, to be corrected with NiiVue's pens. Pen value and label are the same number. */
export async function editMask(nv, segmentation) {
  const image = imageOf(nv);
  const { step, start, dims } = wayOut(image);
  checkGrid(segmentation.dims, image);
  hideMask(nv);
  nv.createEmptyDrawing();
  const drawing = new Uint8Array(segmentation.labels.length);
  eachVoxel(dims, step, start, (drawn, voxel) => (drawing[drawn] = segmentation.labels[voxel]));
  nv.drawBitmap = drawing;
  nv.setDrawColormap(colormap(segmentation.classes));
  nv.refreshDrawing(true);
}

/**
 * What was drawn, as labels on the grid of the image's own file, x fastest. With `strokes`, voxels that nobody drew on are
 * NOT_ANNOTATED, and those drawn with the pen `background` are label 0; without, the drawing is the whole mask.
 */
export function drawnLabels(nv, { strokes = false, background } = {}) {
  const image = imageOf(nv);
  const { step, start, dims } = wayOut(image);
  const labels = new Uint8Array(dims[0] * dims[1] * dims[2]);
  const drawing = nv.drawBitmap ?? new Uint8Array(labels.length);
  const label = (pen) => (pen === background ? 0 : pen === 0 && strokes ? NOT_ANNOTATED : pen);
  eachVoxel(dims, step, start, (drawn, voxel) => (labels[voxel] = label(drawing[drawn])));
  return { labels, dims: image.hdr.dims.slice(1, 4) };
}

function imageOf(nv) {
  const [image] = nv?.volumes ?? [];
  if (!image) throw new InsituError('argument', 'Expected a NiiVue instance that shows a volume, found one without: load the image first.');
  return image;
}

function checkGrid(dims, image) {
  const shown = image.hdr.dims.slice(1, 4);
  if (dims.every((side, i) => side === shown[i])) return;
  throw new InsituError(
    'argument',
    `Expected the mask of the image that NiiVue shows (${shown.join(' x ')} voxels), found one of ${dims.join(' x ')}.`,
  );
}

/** NiiVue draws in RAS order; these lead from a drawn voxel to the file's. */
const wayOut = ({ img2RASstep, img2RASstart, dimsRAS }) => ({ step: img2RASstep, start: img2RASstart, dims: dimsRAS.slice(1, 4) });

function eachVoxel([nx, ny, nz], step, start, visit) {
  let drawn = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = start[0] + start[1] + y * step[1] + start[2] + z * step[2];
      for (let x = 0; x < nx; x++) visit(drawn++, row + x * step[0]);
    }
  }
}

/** Classes as NiiVue's table of label colours; label 0 is see-through. */
function colormap(classes) {
  const shown = classes.filter(({ index }) => index !== 0);
  const channel = (at) => [0, ...shown.map(({ color }) => parseInt(color.slice(at, at + 2), 16))];
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
