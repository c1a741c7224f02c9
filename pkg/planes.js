/**
 * Three planes through a volume with its mask over it, on canvases: a viewer as small as a web component needs. The
 * patient's left is on the left; the letters at the edges say where each side is.
 */

/** The directions of the patient that a view runs to, rightwards and upwards, and the one it looks along. */
const VIEWS = [
  { name: 'axial', across: 'R', up: 'A', along: 'S' },
  { name: 'coronal', across: 'R', up: 'S', along: 'A' },
  { name: 'sagittal', across: 'A', up: 'S', along: 'R' },
];
const OPPOSITE = { R: 'L', A: 'P', S: 'I' };
const OPACITY = 0.55;
/** Values that are looked at to find black and white. */
const SAMPLES = 20_000;

export class Planes {
  /** An element with the views in it. */
  element = document.createElement('div');
  #views;
  #volume = null;
  #axes;
  #window;
  #mask = null;
  #colors;
  /** The voxel that all planes run through, along R, A and S. */
  #at;

  constructor() {
    this.element.className = 'planes';
    this.#views = VIEWS.map((view) => this.#makeView(view));
  }

  /** @param {import('./index.d.ts').ImageVolume} volume */
  show(volume) {
    this.#volume = volume;
    this.#mask = null;
    this.#axes = axesOf(volume);
    this.#window = windowOf(volume.values);
    this.#at = { R: 0, A: 0, S: 0 };
    for (const letter of 'RAS') this.#at[letter] = this.#axes[letter].size >> 1;
    for (const { canvas, across, up } of this.#views) {
      const [width, height] = [this.#axes[across], this.#axes[up]];
      Object.assign(canvas, { width: width.size, height: height.size });
      canvas.style.aspectRatio = `${width.size * width.mm} / ${height.size * height.mm}`;
    }
    this.#draw();
  }

  /** @param {Uint8Array} labels @param {import('./index.d.ts').LabelClass[]} classes */
  showMask(labels, classes) {
    this.#mask = labels;
    this.#colors = [];
    for (const { index, color } of classes)
      if (index > 0) this.#colors[index] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    this.#moveTo(middleOf(labels, this.#axes) ?? this.#at);
  }

  #makeView(view) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1, tabIndex: 0 });
    canvas.setAttribute('role', 'img');
    canvas.addEventListener('pointerdown', (event) => this.#pick(view, canvas, event));
    canvas.addEventListener('pointermove', (event) => event.buttons === 1 && this.#pick(view, canvas, event));
    canvas.addEventListener('wheel', (event) => (event.preventDefault(), this.#step(view.along, -Math.sign(event.deltaY))), {
      passive: false,
    });
    canvas.addEventListener('keydown', (event) => this.#key(view, event));
    const box = Object.assign(document.createElement('div'), { className: 'plane' });
    const letter = (text, place) => Object.assign(document.createElement('span'), { className: place, textContent: text });
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

  #pick({ across, up }, canvas, { clientX, clientY }) {
    if (!this.#volume) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const [x, y] = [(clientX - left) / width, (clientY - top) / height];
    const at = (letter, share) => Math.min(this.#axes[letter].size - 1, Math.max(0, Math.floor(share * this.#axes[letter].size)));
    this.#moveTo({ ...this.#at, [across]: at(across, x), [up]: at(up, 1 - y) });
  }

  #key({ across, up, along }, event) {
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

  #step(letter, by) {
    if (!this.#volume) return;
    const at = this.#at[letter] + by;
    if (at >= 0 && at < this.#axes[letter].size) this.#moveTo({ ...this.#at, [letter]: at });
  }

  #moveTo(at) {
    this.#at = at;
    this.#draw();
  }

  #draw() {
    for (const view of this.#views) this.#drawView(view);
  }

  #drawView({ canvas, name, across, up, along }) {
    const { values } = this.#volume;
    const [x, y, z] = [this.#axes[across], this.#axes[up], this.#axes[along]];
    const [low, scale] = this.#window;
    const context = canvas.getContext('2d');
    const picture = context.createImageData(x.size, y.size);
    let pixel = 0;
    for (let j = y.size - 1; j >= 0; j--) {
      for (let i = 0; i < x.size; i++, pixel += 4) {
        const voxel = x.start + i * x.step + y.start + j * y.step + z.start + this.#at[along] * z.step;
        const grey = (values[voxel] - low) * scale;
        const color = this.#colors?.[this.#mask?.[voxel]];
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

/** For each of R, A, S: the number of voxels that way, the mm of one, and the way through the file's memory. */
function axesOf({ dims, spacing, orientation }) {
  const strides = [1, dims[0], dims[0] * dims[1]];
  const axes = {};
  [...orientation].forEach((code, axis) => {
    const letter = code in OPPOSITE ? code : Object.keys(OPPOSITE).find((key) => OPPOSITE[key] === code);
    const forward = letter === code;
    const step = forward ? strides[axis] : -strides[axis];
    axes[letter] = { size: dims[axis], mm: spacing[axis], step, start: forward ? 0 : (dims[axis] - 1) * strides[axis] };
  });
  return axes;
}

/** The value that is black, and grey levels per unit: between the 1st and the 99th percentile. */
function windowOf(values) {
  const every = Math.max(1, Math.floor(values.length / SAMPLES));
  const some = Float32Array.from({ length: Math.ceil(values.length / every) }, (_, i) => values[i * every]).sort();
  const [low, high] = [some[Math.floor(0.01 * some.length)], some[Math.floor(0.99 * (some.length - 1))]];
  return [low, 255 / (high - low || 1)];
}

/** The middle of what is labelled, or null. */
function middleOf(labels, axes) {
  const sums = { R: 0, A: 0, S: 0 };
  let count = 0;
  for (let s = 0; s < axes.S.size; s++) {
    for (let a = 0; a < axes.A.size; a++) {
      const row = axes.S.start + s * axes.S.step + axes.A.start + a * axes.A.step + axes.R.start;
      for (let r = 0; r < axes.R.size; r++) {
        if (labels[row + r * axes.R.step] === 0) continue;
        sums.R += r;
        sums.A += a;
        sums.S += s;
        count += 1;
      }
    }
  }
  if (count === 0) return null;
  return { R: Math.round(sums.R / count), A: Math.round(sums.A / count), S: Math.round(sums.S / count) };
}
