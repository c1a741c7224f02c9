/**
 * The slices and the volume: with view/tiles.js the one place that knows NiiVue. Labels are its drawing layer, of which only the box
 * that changed goes to the GPU. Places are voxels of the grid that NiiVue shows, the file's axes turned to RAS.
 */
/** @import { Grid, Labels, Box } from './edit/grid.js' */
/** @import { Label } from './edit/table.js' */
/** @import { VolumeInfo } from './types.js' */
import { MULTIPLANAR_TYPE, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue';
import { isGzipped } from './bytes.js';
import { determinant, gridOf } from './edit/grid.js';
import { Camera, LINE } from './view/camera.js';
import { skipGradient } from './view/gradient.js';
import { Second } from './view/second.js';
import { createTiles } from './view/tiles.js';

const LABELS_UNIT = 33991; // WebGL's TEXTURE7, which NiiVue keeps for its drawing layer
const LAYOUTS = {
  all: SLICE_TYPE.MULTIPLANAR,
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
  render: SLICE_TYPE.RENDER,
};

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{ onMove(): void, onDrawn(): void }} listeners the crosshair moved; the scene was drawn anew
 */
export async function createView(canvas, { onMove, onDrawn }) {
  if (!document.createElement('canvas').getContext('webgl2')) throw new Error('noWebgl');
  const nv = new Niivue({
    backColor: [0.035, 0.043, 0.055, 1],
    crosshairColor: [0.18, 0.83, 0.75, 1],
    crosshairWidth: LINE,
    crosshairWidthUnit: 'percent',
    crosshairGap: 3,
    fontColor: [1, 0.9, 0.25, 1],
    fontMinPx: 15,
    multiplanarLayout: MULTIPLANAR_TYPE.GRID,
    multiplanarShowRender: SHOW_RENDER.ALWAYS,
    multiplanarPadPixels: 6,
    multiplanarEqualSize: false,
    sliceType: SLICE_TYPE.MULTIPLANAR,
    dragAndDropEnabled: false,
    isRadiologicalConvention: false,
    isColorbar: false,
    showAllOrientationMarkers: true,
    logLevel: 'error',
    loadingText: '',
    viewModeHotKey: '',
    clipPlaneHotKey: '',
    cycleClipPlaneHotKey: '',
    // What it does on a double or a long touch is not what hands expect of a double tap (paint/gestures.js).
    doubleTouchTimeout: 0,
    longTouchTimeout: 2 ** 31 - 1,
  });
  await nv.attachToCanvas(canvas);
  skipGradient(nv);
  return new View(nv, canvas, onMove, onDrawn);
}

/** @typedef {keyof typeof LAYOUTS} Layout */

export class View {
  /** @type {Grid | null} of the open image; null where none is shown */
  #grid = null;
  /** @type {Labels | null} */
  #labels = null;
  #asked = 0;
  #opacity = 0.6;
  #outlines = false;
  #hidden = false;

  /** @type {() => void} */
  #drawNow;

  /** @param {Niivue} nv @param {HTMLCanvasElement} canvas @param {() => void} onMove @param {() => void} onDrawn */
  constructor(nv, canvas, onMove, onDrawn) {
    this.nv = nv;
    this.canvas = canvas;
    nv.onLocationChange = () => this.#grid && onMove();
    const { drawScene } = nv;
    this.#drawNow = () => {
      drawScene.call(nv);
      // NiiVue tells nobody that it drew, and what lies over the slices must follow them.
      onDrawn();
    };
    // It draws after each of its own steps, a dozen times where an image is opened.
    nv.drawScene = () => this.draw();
    this.tiles = createTiles(nv, canvas, () => this.#grid);
    this.second = new Second(nv);
    this.camera = new Camera(
      nv,
      () => this.#grid,
      () => this.draw(),
    );
  }

  /** Whether slices are shown. */
  get hasImage() {
    return this.#grid !== null;
  }

  /** The grid of the open image, of which there must be one. */
  get grid() {
    if (!this.#grid) throw new Error('noImage');
    return this.#grid;
  }

  /** Shows a NIfTI file; the labels that lay over another go. @param {Uint8Array} bytes */
  async showImage(bytes) {
    const volume = await imageOf(bytes);
    this.clear();
    this.nv.addVolume(volume);
    this.#grid = gridShownOf(volume);
    this.camera.reset();
    // On the centre of a voxel: halfway between two slices the label of either would show through.
    this.goTo(this.grid.dims.map((n) => n >> 1));
  }

  /** Whether values and sizes of the image are those that the engine reads. @param {VolumeInfo} info */
  shows(info) {
    return isAsRead(this.nv.volumes[0], info);
  }

  /**
   * Lays a second NIfTI file over the image, which must be as the engine reads it. @param {Uint8Array} bytes @param {VolumeInfo} info
   * @param {() => boolean} isStill whether it is still wanted when it has been read @returns {Promise<boolean>} whether it lies there
   */
  async showSecond(bytes, info, isStill) {
    const volume = await imageOf(bytes);
    if (!isAsRead(volume, info)) throw new Error('otherwise');
    if (isStill()) this.second.show(volume);
    return isStill();
  }

  clear() {
    this.#grid = null;
    this.hideLabels();
    this.second.clear();
    while (this.nv.volumes.length > 0) this.nv.removeVolume(this.nv.volumes[this.nv.volumes.length - 1]);
  }

  /** Intensities as the file stores them, in its order, and how they become values. */
  get values() {
    const [volume] = this.nv.volumes;
    return { stored: /** @type {ArrayLike<number>} */ (volume.img), ...scalingOf(volume) };
  }

  // Labels

  /** Lays a label volume over the image: its array is read again at every refresh. @param {Labels} labels @param {Label[]} table */
  showLabels(labels, table) {
    const { nv } = this;
    this.#labels = labels;
    nv.drawBitmap = labels; // the 3-D view asks whether there is one
    nv.drawTexture = nv.r8Tex(nv.drawTexture, LABELS_UNIT, [3, ...this.grid.dims], false);
    this.refresh({ start: [0, 0, 0], end: this.grid.dims });
    this.setTable(table);
  }

  hideLabels() {
    if (!this.#labels) return;
    this.#labels = null;
    this.nv.closeDrawing();
  }

  /** Sends a box of the labels to the GPU, and nothing else of them. @param {Box} box */
  refresh({ start, end }) {
    if (!this.#labels) return;
    const { gl, drawTexture } = this.nv;
    const [nx, ny] = this.grid.dims;
    gl.activeTexture(LABELS_UNIT);
    gl.bindTexture(gl.TEXTURE_3D, drawTexture);
    const where = [
      [gl.UNPACK_ALIGNMENT, 1],
      [gl.UNPACK_ROW_LENGTH, nx],
      [gl.UNPACK_IMAGE_HEIGHT, ny],
      [gl.UNPACK_SKIP_PIXELS, start[0]],
      [gl.UNPACK_SKIP_ROWS, start[1]],
      [gl.UNPACK_SKIP_IMAGES, start[2]],
    ];
    for (const [name, value] of where) gl.pixelStorei(name, value);
    const size = end.map((at, i) => at - start[i]);
    const [x, y, z] = start;
    const [width, height, depth] = size;
    gl.texSubImage3D(gl.TEXTURE_3D, 0, x, y, z, width, height, depth, gl.RED, gl.UNSIGNED_BYTE, this.#labels);
    for (const [name] of where.slice(1)) gl.pixelStorei(name, 0);
    this.draw();
  }

  /** Colours and which labels are shown. @param {Label[]} table */
  setTable(table) {
    const lut = new Uint8ClampedArray(1024);
    for (const { index, color, visible } of table) {
      lut.set(
        [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)),
        4 * index,
      );
      lut[4 * index + 3] = visible ? 255 : 0;
    }
    this.nv.drawLut = { lut, labels: Array.from({ length: 256 }, () => '') };
    this.nv.refreshColormaps();
    this.draw();
  }

  /** @param {number} value 0 to 1 */
  setOpacity(value) {
    this.#opacity = value;
    this.#blend();
  }

  /** @param {boolean} on */
  setOutlines(on) {
    this.#outlines = on;
    this.#blend();
  }

  /** @param {boolean} on */
  setHidden(on) {
    this.#hidden = on;
    this.#blend();
  }

  /** Under outlines the shader needs some opacity of the inside to draw the rim at all. */
  #blend() {
    const { nv } = this;
    nv.drawRimOpacity = this.#outlines && !this.#hidden ? 1 : -1;
    nv.drawOpacity = this.#hidden ? 0 : this.#outlines ? Math.max(0.004, this.#opacity * 0.15) : this.#opacity;
    this.draw();
  }

  // Looking

  /** Once a frame, however often it is asked for. */
  draw() {
    if (this.#asked) return;
    this.#asked = requestAnimationFrame(() => {
      this.#asked = 0;
      this.#drawNow();
    });
  }

  /** The voxel under the crosshair. */
  get place() {
    return this.grid.dims.map((n, i) => Math.min(n - 1, Math.max(0, Math.round(this.nv.scene.crosshairPos[i] * n - 0.5))));
  }

  /** @param {number[]} place */
  goTo(place) {
    this.nv.scene.crosshairPos = this.nv.vox2frac(place.map((at, i) => Math.min(this.grid.dims[i] - 1, Math.max(0, at))));
    this.camera.follow(this.place);
    this.nv.createOnLocationChange();
    this.draw();
  }

  /** The value of the image at a voxel. @param {number[]} place */
  valueAt([x, y, z]) {
    const { start, step } = this.grid;
    const { stored, slope, inter } = this.values;
    return stored[start + x * step[0] + y * step[1] + z * step[2]] * slope + inter;
  }

  /** The window, as values at its ends; the one without outliers, as NiiVue begins with; and the values between which it may lie. */
  get window() {
    const { cal_min: low = 0, cal_max: high = 0, global_min: min = 0, global_max: max = 0, robust_min, robust_max } = this.nv.volumes[0];
    return { low, high, min, max, robust: [robust_min ?? min, robust_max ?? max] };
  }

  /** @param {number} low @param {number} high */
  setWindow(low, high) {
    const [volume] = this.nv.volumes;
    if (!volume || !(high > low)) return;
    Object.assign(volume, { cal_min: low, cal_max: high });
    this.nv.updateGLVolume();
  }

  /** @param {Layout} layout */
  setLayout(layout) {
    this.nv.setSliceType(LAYOUTS[layout]);
  }

  /** @param {boolean} on */
  setRadiological(on) {
    this.nv.setRadiologicalConvention(on);
  }

  /** What is seen, as a PNG: read in the task in which it is drawn, as WebGL keeps no picture. @returns {Promise<Blob>} */
  picture() {
    this.#drawNow();
    return new Promise((resolve, reject) =>
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('noPicture'))), 'image/png'),
    );
  }
}

/** @param {Uint8Array} bytes of a NIfTI file @returns {Promise<NVImage>} */
function imageOf(bytes) {
  const name = isGzipped(bytes) ? 'volume.nii.gz' : 'volume.nii';
  return NVImage.loadFromUrl({ url: bytes.slice().buffer, name, colormap: 'gray' });
}

/** @param {NVImage} volume */
const scalingOf = ({ hdr }) => ({ slope: hdr?.scl_slope || 1, inter: hdr?.scl_inter || 0 });

/** @param {NVImage} volume @param {VolumeInfo} info */
function isAsRead(volume, { slope, inter, affine }) {
  const close = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) <= 1e-5 * Math.abs(b);
  const scaling = scalingOf(volume);
  const sizes = [gridShownOf(volume).affine, affine].map((one) => Math.abs(determinant(one)));
  return close(scaling.slope, slope) && close(scaling.inter, inter) && close(sizes[0], sizes[1]);
}

/** Where the voxels that NiiVue shows lie, its axes turned to RAS, and where in the order of the file. @param {NVImage} volume */
function gridShownOf({ matRAS, dimsRAS, img2RASstart, img2RASstep }) {
  if (!matRAS || !dimsRAS || !img2RASstart || !img2RASstep) throw new Error('noGrid');
  const affine = [0, 4, 8, 12].map((row) => Array.from(matRAS).slice(row, row + 4));
  return gridOf({ dims: dimsRAS.slice(1, 4), affine, start: img2RASstart.reduce((a, b) => a + b), step: img2RASstep.slice() });
}
