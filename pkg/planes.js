/**
 * Three planes through a volume with its mask over it, on canvases: a viewer as small as a web component needs. The
 * patient's left is on the left; the letters at the edges say where each side is.
 */

/** @import { ImageVolume, LabelClass } from './index.js' */

/** @typedef {'R' | 'A' | 'S'} Letter the patient's right, front and head */
/** @typedef {Record<Letter, number>} Place */
/** @typedef {{ size: number, mm: number, step: number, start: number }} Axis voxels, millimetres of one, and the way through memory */
/** @typedef {{ name: string, across: Letter, up: Letter, along: Letter }} Direction */
/** @typedef {Direction & { canvas: HTMLCanvasElement }} Plane */
/** @typedef {{ values: Float32Array, axes: Record<Letter, Axis>, low: number, scale: number }} Shown an image, and how values become grey */

/** The directions of the patient that a view runs to, rightwards and upwards, and the one it looks along. @type {Direction[]} */
const VIEWS = [
  { name: 'axial', across: 'R', up: 'A', along: 'S' },
  { name: 'coronal', across: 'R', up: 'S', along: 'A' },
  { name: 'sagittal', across: 'A', up: 'S', along: 'R' },
];
/** @type {Letter[]} */
const LETTERS = ['R', 'A', 'S'];
/** @type {Record<Letter, string>} */
const OPPOSITE = { R: 'L', A: 'P', S: 'I' };
const OPACITY = 0.55;
/** Values that are looked at to find black and white. */
const SAMPLES = 20_000;

export class Planes {
  /** An element with the views in it. */
  element = document.createElement('div');
  #planes;
  /** @type {Shown | null} */
  #shown = null;
  /** @type {Uint8Array | null} */
  #mask = null;
  /** @type {number[][]} by label */
  #colors = [];
  /** @type {Place} the voxel that all planes run through */
  #at = { R: 0, A: 0, S: 0 };

  constructor() {
    this.element.className = 'planes';
    this.#planes = VIEWS.map((view) => this.#makePlane(view));
  }

  /** @param {ImageVolume} volume */
  show(volume) {
    const axes = axesOf(volume);
    this.#shown = { values: volume.values, axes, ...greysOf(volume.values) };
    this.#mask = null;
    for (const letter of LETTERS) this.#at[letter] = axes[letter].size >> 1;
    for (const { canvas, across, up } of this.#planes) {
      const [width, height] = [axes[across], axes[up]];
      Object.assign(canvas, { width: width.size, height: height.size });
      canvas.style.aspectRatio = `${width.size * width.mm} / ${height.size * height.mm}`;
    }
    this.#draw();
  }

  /** @param {Uint8Array} labels @param {LabelClass[]} classes */
  showMask(labels, classes) {
    if (!this.#shown) return;
    this.#mask = labels;
    this.#colors = [];
    for (const { index, color } of classes)
      if (index > 0) this.#colors[index] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    this.#moveTo(middleOf(labels, this.#shown.axes) ?? this.#at);
  }

  /** @param {Direction} view @returns {Plane} */
  #makePlane(view) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1, tabIndex: 0 });
    canvas.setAttribute('role', 'img');
    canvas.addEventListener('pointerdown', (event) => this.#pick(view, canvas, event));
    canvas.addEventListener('pointermove', (event) => event.buttons === 1 && this.#pick(view, canvas, event));
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.#step(view.along, -Math.sign(event.deltaY));
      },
      {
        passive: false,
      },
    );
    canvas.addEventListener('keydown', (event) => this.#key(view, event));
    const box = Object.assign(document.createElement('div'), { className: 'plane' });
    const letter = (/** @type {string} */ text, /** @type {string} */ place) =>
      Object.assign(document.createElement('span'), { className: place, textContent: text });
    box.append(
      canvas,
      letter(OPPOSITE[view.across], 'left'),
      letter(view.across, 'right'),
      letter(view.up, 'top'),
      letter(OPPOSITE[view.up], 'bottom'),
    );
    this.element.append(box);
    return { ...view, canvas };
  }

  /** @param {Direction} view @param {HTMLCanvasElement} canvas @param {PointerEvent} event */
  #pick({ across, up }, canvas, { clientX, clientY }) {
    const axes = this.#shown?.axes;
    if (!axes) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const [x, y] = [(clientX - left) / width, (clientY - top) / height];
    const at = (/** @type {Letter} */ letter, /** @type {number} */ share) =>
      Math.min(axes[letter].size - 1, Math.max(0, Math.floor(share * axes[letter].size)));
    this.#moveTo({ ...this.#at, [across]: at(across, x), [up]: at(up, 1 - y) });
  }

  /** @param {Direction} view @param {KeyboardEvent} event */
  #key({ across, up, along }, event) {
    /** @type {Record<string, [Letter, number]>} */
    const steps = {
      ArrowLeft: [across, -1],
      ArrowRight: [across, 1],
      ArrowUp: [up, 1],
      ArrowDown: [up, -1],
      PageUp: [along, 1],
      PageDown: [along, -1],
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.#step(...steps[event.key]);
  }

  /** @param {Letter} letter @param {number} by */
  #step(letter, by) {
    if (!this.#shown) return;
    const at = this.#at[letter] + by;
    if (at >= 0 && at < this.#shown.axes[letter].size) this.#moveTo({ ...this.#at, [letter]: at });
  }

  /** @param {Place} at */
  #moveTo(at) {
    this.#at = at;
    this.#draw();
  }

  #draw() {
    if (this.#shown) for (const plane of this.#planes) this.#drawPlane(plane, this.#shown);
  }

  /** @param {Plane} plane @param {Shown} shown */
  #drawPlane({ canvas, name, across, up, along }, { values, axes, low, scale }) {
    const [x, y, z] = [axes[across], axes[up], axes[along]];
    const context = canvas.getContext('2d');
    if (!context) return;
    const picture = context.createImageData(x.size, y.size);
    let pixel = 0;
    for (let j = y.size - 1; j >= 0; j--) {
      for (let i = 0; i < x.size; i++, pixel += 4) {
        const voxel = x.start + i * x.step + y.start + j * y.step + z.start + this.#at[along] * z.step;
        const grey = (values[voxel] - low) * scale;
        const color = this.#mask ? this.#colors[this.#mask[voxel]] : undefined;
        for (let c = 0; c < 3; c++) picture.data[pixel + c] = color ? grey + OPACITY * (color[c] - grey) : grey;
        picture.data[pixel + 3] = 255;
      }
    }
    context.putImageData(picture, 0, 0);
    context.fillStyle = 'rgb(45 212 191 / 45%)';
    context.fillRect(this.#at[across], 0, 1, y.size);
    context.fillRect(0, y.size - 1 - this.#at[up], x.size, 1);
    canvas.setAttribute('aria-label', `${name} plane ${this.#at[along] + 1} of ${z.size}; arrow keys move the cross, page keys the plane`);
  }
}

/** For each direction the number of voxels that way, the mm of one, and the way through the file's memory. @param {ImageVolume} volume */
function axesOf({ dims, spacing, orientation }) {
  const strides = [1, dims[0], dims[0] * dims[1]];
  const axisOf = (/** @type {Letter} */ letter) => {
    const axis = [...orientation].findIndex((code) => code === letter || code === OPPOSITE[letter]);
    const forward = orientation[axis] === letter;
    const start = forward ? 0 : (dims[axis] - 1) * strides[axis];
    return { size: dims[axis], mm: spacing[axis], step: forward ? strides[axis] : -strides[axis], start };
  };
  return { R: axisOf('R'), A: axisOf('A'), S: axisOf('S') };
}

/** The value that is black, and grey levels per unit: between the 1st and the 99th percentile. @param {Float32Array} values */
function greysOf(values) {
  const every = Math.max(1, Math.floor(values.length / SAMPLES));
  const some = Float32Array.from({ length: Math.ceil(values.length / every) }, (_, i) => values[i * every]).sort();
  const [low, high] = [some[Math.floor(0.01 * some.length)], some[Math.floor(0.99 * (some.length - 1))]];
  return { low, scale: 255 / (high - low || 1) };
}

/** The middle of what is labelled, or null. @param {Uint8Array} labels @param {Record<Letter, Axis>} axes @returns {Place | null} */
function middleOf(labels, { R, A, S }) {
  const sums = { R: 0, A: 0, S: 0 };
  let count = 0;
  for (let s = 0; s < S.size; s++) {
    for (let a = 0; a < A.size; a++) {
      const row = S.start + s * S.step + A.start + a * A.step + R.start;
      for (let r = 0; r < R.size; r++) {
        if (labels[row + r * R.step] === 0) continue;
        sums.R += r;
        sums.A += a;
        sums.S += s;
        count += 1;
      }
    }
  }
  return count === 0 ? null : { R: Math.round(sums.R / count), A: Math.round(sums.A / count), S: Math.round(sums.S / count) };
}
