/**
 * What hands know of other viewers, whatever tool is in them: wheel and pinch zoom and turn slices, the right button changes the window,
 * the middle one or Shift pans, a double click shows one plane alone. Heard before the pen and before NiiVue, which hear nothing of it.
 */
/** @import { View } from '../view.js' */
/** @import { Tile } from '../view/tiles.js' */
/** @import { Sight } from '../view/camera.js' */

/** Pixels of a wheel that are one slice: a notch is more, a finger on a trackpad reports less at a time. */
const SLICE = 30;
/** Pixels in which a window becomes twice as wide. */
const TWICE = 160;
/** A second tap within so many ms and pixels is a double one. */
const TAP = { ms: 350, pixels: 24 };

/** @typedef {{ clientX: number, clientY: number }} Point */
/** @typedef {{ view: View, tile: Tile, held: Sight, from: number[] }} Held a place that was taken hold of, in the sight of then */

/**
 * @typedef {object} GestureParts
 * @property {() => View | null} view
 * @property {() => boolean} letGo whether the pen has nothing in the making, or can let go of it without a trace
 * @property {() => boolean} looks whether no tool is in hand that a click belongs to
 * @property {(plane: number) => void} maximise
 * @property {(low: number, high: number) => void} setWindow
 */

export class Gestures {
  #stage;
  #parts;
  /** @type {Map<number, Point>} fingers on the slices */
  #fingers = new Map();
  /** @type {(Held & { apart: number }) | null} */
  #pinch = null;
  /** @type {{ id: number, move(at: PointerEvent): void } | null} */
  #drag = null;
  #wheeled = 0;
  /** @type {{ x: number, y: number, time: number } | null} */
  #tapped = null;
  /** @type {(Held & Point) | null} about which the wheel zooms, until the pointer moves */
  #about = null;

  /** @param {HTMLElement} stage around the canvas @param {GestureParts} parts */
  constructor(stage, parts) {
    this.#stage = stage;
    this.#parts = parts;
    this.#listen('wheel', (event) => this.#wheel(event));
    this.#listen('pointerdown', (event) => this.#down(event));
    this.#listen('pointermove', (event) => this.#move(event));
    this.#listen('pointerup', (event) => this.#up(event));
    this.#listen('pointercancel', (event) => this.#up(event));
    this.#listen('dblclick', (event) => this.#maximise(event) && taken(event));
    for (const name of /** @type {const} */ (['touchstart', 'touchmove', 'touchend'])) {
      this.#listen(name, (event) => this.#pinch && taken(event));
    }
  }

  /** @template {keyof HTMLElementEventMap} Name @param {Name} name @param {(event: HTMLElementEventMap[Name]) => void} listener */
  #listen(name, listener) {
    const heard = (/** @type {HTMLElementEventMap[Name]} */ event) => {
      // Buttons that lie over the slices are neither the slices' nor the tool's.
      if (event.target instanceof Element && event.target.closest('button')) event.stopImmediatePropagation();
      else listener(event);
    };
    this.#stage.addEventListener(name, heard, { capture: true, passive: false });
  }

  /** The slice under a point, taken hold of there. @param {Point} at @returns {Held | null} */
  #hold(at) {
    const view = this.#parts.view();
    const found = view?.tiles.under(at);
    if (!view || !found) return null;
    return { view, tile: found.tile, held: view.camera.now, from: found.tile.placeAt(found.x, found.y) };
  }

  /** @param {Tile} tile @param {Point} at */
  #placeIn(tile, { clientX, clientY }) {
    const { left, top } = this.#stage.getBoundingClientRect();
    return tile.placeAt(clientX - left, clientY - top);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    const pixels = event.deltaY * [1, 33, this.#stage.clientHeight][event.deltaMode];
    const zooms = event.ctrlKey || event.metaKey;
    const near = this.#about && Math.hypot(event.clientX - this.#about.clientX, event.clientY - this.#about.clientY) < 2;
    const hold = near ? this.#about : this.#hold(event);
    if (!hold) return; // over the 3-D view NiiVue zooms
    if (zooms) {
      taken(event);
      this.#about = { ...hold, clientX: event.clientX, clientY: event.clientY };
      const held = hold.view.camera.now;
      // Notches say a hundred at once, what a trackpad calls a pinch a few.
      const by = Math.exp(-Math.max(-25, Math.min(25, pixels)) / 100);
      hold.view.camera.move(held, hold.from, hold.from, held.zoom * by);
      return;
    }
    this.#wheeled = Math.sign(pixels) === Math.sign(this.#wheeled) ? this.#wheeled + pixels : pixels;
    if (Math.abs(this.#wheeled) < SLICE) return taken(event);
    this.#wheeled = 0;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.#pinch || this.#drag) return taken(event);
    if (event.pointerType === 'touch') return this.#finger(event);
    const isPan = event.button === 1 || (event.button === 0 && event.shiftKey);
    const hold = isPan || event.button === 2 ? this.#hold(event) : null;
    if (!hold || !this.#parts.letGo()) return;
    taken(event);
    this.#stage.querySelector('canvas')?.focus({ preventScroll: true });
    this.#stage.setPointerCapture(event.pointerId);
    const move = isPan
      ? (/** @type {PointerEvent} */ at) => hold.view.camera.move(hold.held, hold.from, this.#placeIn(hold.tile, at))
      : this.#windowing(hold.view, event);
    this.#drag = { id: event.pointerId, move };
  }

  /** To the right wider, upwards higher, as NiiVue has it; by how wide it is, as the values of one image are a thousand times those of another. @param {View} view @param {Point} begin */
  #windowing(view, begin) {
    const { low, high } = view.window;
    const [width, level] = [high - low, (high + low) / 2];
    return (/** @type {Point} */ { clientX, clientY }) => {
      const wide = (width / 2) * 2 ** ((clientX - begin.clientX) / TWICE);
      const middle = level + ((begin.clientY - clientY) * width) / (2 * TWICE);
      this.#parts.setWindow(middle - wide, middle + wide);
    };
  }

  /** @param {PointerEvent} event */
  #finger(event) {
    this.#fingers.set(event.pointerId, event);
    if (this.#fingers.size !== 2) return;
    const { middle, apart } = this.#span();
    const hold = this.#hold(middle);
    if (!hold || !this.#parts.letGo()) return;
    this.#tapped = null;
    this.#pinch = { ...hold, apart };
    taken(event);
  }

  /** Where two fingers are, and how far from each other. */
  #span() {
    const [a, b] = [...this.#fingers.values()];
    return {
      middle: { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 },
      apart: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)),
    };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#about = null;
    if (this.#fingers.has(event.pointerId)) this.#fingers.set(event.pointerId, event);
    if (this.#drag) {
      taken(event);
      if (event.pointerId === this.#drag.id) this.#drag.move(event);
    } else if (this.#pinch) {
      taken(event);
      if (this.#fingers.size !== 2) return;
      const { view, tile, held, from, apart } = this.#pinch;
      const span = this.#span();
      view.camera.move(held, from, this.#placeIn(tile, span.middle), (held.zoom * span.apart) / apart);
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const began = this.#fingers.get(event.pointerId);
    this.#fingers.delete(event.pointerId);
    if (this.#drag?.id === event.pointerId) {
      this.#drag = null;
      taken(event);
    } else if (this.#pinch) {
      if (this.#fingers.size === 0) this.#pinch = null;
      taken(event);
    } else if (began && event.type === 'pointerup') this.#tap(event);
  }

  /** @param {PointerEvent} event of a finger */
  #tap({ clientX: x, clientY: y, timeStamp: time }) {
    const last = this.#tapped;
    const isDouble = last && time - last.time < TAP.ms && Math.hypot(x - last.x, y - last.y) < TAP.pixels;
    this.#tapped = isDouble ? null : { x, y, time };
    if (isDouble) this.#maximise({ clientX: x, clientY: y });
  }

  /** Whether there was a slice to be shown alone, or with the others again. @param {Point} at */
  #maximise(at) {
    const found = this.#parts.looks() ? this.#parts.view()?.tiles.under(at) : null;
    if (found) this.#parts.maximise(found.tile.plane);
    return Boolean(found);
  }
}

/** @param {Event} event that nobody else is to hear of */
function taken(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
