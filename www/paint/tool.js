/** The tool in hand: what it is, its size, shape, label and range. Whoever shows it hears of every change. */

/** @typedef {'look' | 'measure' | 'brush' | 'erase' | 'threshold' | 'fill' | 'island'} Kind */

/** @type {readonly Kind[]} */
export const KINDS = ['look', 'measure', 'brush', 'erase', 'threshold', 'fill', 'island'];

/** Those that leave a trace on their way, and have a size. @param {Kind} kind */
export const isBrush = (kind) => ['brush', 'erase', 'threshold'].includes(kind);

/** Those that need no labels, only slices. @param {Kind} kind */
export const isForEyes = (kind) => kind === 'look' || kind === 'measure';

/** Steps of the size keys: each a fifth more, from half a millimetre to 60 mm. */
const STEP = 1.2;
const SIZES = [0.5, 60];

export class Tool {
  /** @type {Kind} */
  kind = 'look';
  /** Millimetres. */
  radius = 3;
  ball = false;
  /** The label that is painted. */
  label = 1;
  /** Intensities between which the threshold brush paints. */
  range = [0, 0];
  /** The label inside which brushes work, 0 where nothing is painted; undefined everywhere. @type {number | undefined} */
  within = undefined;
  /** The axis across the slice in which the keyboard works; the pointer brings its own. */
  plane = 2;
  /** @type {((tool: Tool) => void)[]} */
  #listeners = [];

  /** @param {(tool: Tool) => void} listener */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** @param {Partial<Pick<Tool, 'kind' | 'radius' | 'ball' | 'label' | 'range' | 'within' | 'plane'>>} change */
  set(change) {
    Object.assign(this, change);
    this.radius = Math.min(SIZES[1], Math.max(SIZES[0], this.radius));
    for (const listener of this.#listeners) listener(this);
  }

  grow() {
    this.set({ radius: this.radius * STEP });
  }

  shrink() {
    this.set({ radius: this.radius / STEP });
  }

  /** How this tool strokes in the slice across `plane`, erasing where a pen's other end is used. @param {number} plane */
  brush(plane, erasing = false) {
    return {
      value: erasing || this.kind === 'erase' ? 0 : this.label,
      radius: this.radius,
      plane: this.ball ? undefined : plane,
      range: this.kind === 'threshold' && !erasing ? this.range : undefined,
      within: this.within,
    };
  }
}
