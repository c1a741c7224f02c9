/**
 * Zoom and pan of the slices, the same in all of them: NiiVue's four numbers, millimetres of pan and the zoom. A point w of a slice
 * lies at w * zoom + pan, so that a point that lay under `to` lies under `from` after pan + to * zoom - from * zoom'.
 */
/** @import { Niivue } from '@niivue/niivue' */
/** @import { Grid } from '../edit/grid.js' */

const MOST = 20;
/** So much of the image stays in sight. */
const LEFT = 0.1;
/** Of the crosshair's lines, in percent; NiiVue makes them wider with the zoom. */
export const LINE = 0.7;

/** @typedef {{ pan: number[], zoom: number }} Sight */

export class Camera {
  #nv;
  #grid;
  #draw;

  /** @param {Niivue} nv @param {() => Grid | null} gridShown @param {() => void} draw */
  constructor(nv, gridShown, draw) {
    this.#nv = nv;
    this.#grid = gridShown;
    this.#draw = draw;
  }

  /** @returns {Sight} */
  get now() {
    const [x, y, z, zoom] = this.#nv.scene.pan2Dxyzmm;
    return { pan: [x, y, z], zoom };
  }

  /** Whether anything is other than at the beginning. */
  get isMoved() {
    const { pan, zoom } = this.now;
    return zoom !== 1 || pan.some((mm) => Math.abs(mm) > 1e-6);
  }

  reset() {
    this.#put([0, 0, 0], 1);
  }

  /**
   * What lay at `from` in the sight `held` comes to where `to` lay in it, under another zoom: dragged, or zoomed about a place.
   * @param {Sight} held @param {number[]} from @param {number[]} [to] places in voxels, fractions allowed @param {number} [zoom]
   */
  move(held, from, to = from, zoom = held.zoom) {
    const next = Math.min(MOST, Math.max(1, zoom));
    // All of the image is in sight again, and in the middle.
    if (next === 1 && next < held.zoom) return this.reset();
    const [a, b] = [this.#mmOf(from), this.#mmOf(to)];
    this.#take({ pan: held.pan.map((mm, i) => mm + b[i] * held.zoom - a[i] * next), zoom: next });
  }

  /** Brings a place into sight where it is not. @param {number[]} place */
  follow(place) {
    const { pan, zoom } = this.now;
    if (zoom === 1) return;
    const at = this.#mmOf(place);
    const next = this.#ends().map(([low, high], i) => {
      const [from, to] = [(low - pan[i]) / zoom, (high - pan[i]) / zoom];
      return at[i] < from || at[i] > to ? (low + high) / 2 - at[i] * zoom : pan[i];
    });
    if (next.some((mm, i) => mm !== pan[i])) this.#take({ pan: next, zoom });
  }

  /** NiiVue's millimetres of a place in voxels. @param {number[]} place */
  #mmOf(place) {
    const nv = this.#nv;
    return Array.from(nv.frac2mm(nv.vox2frac(/** @type {[number, number, number]} */ (place)))).slice(0, 3);
  }

  /** The ends of the image. */
  #ends() {
    const { dims } = this.#grid() ?? { dims: [1, 1, 1] };
    const [a, b] = [[-0.5, -0.5, -0.5], dims.map((n) => n - 0.5)].map((place) => this.#mmOf(place));
    return a.map((at, i) => [Math.min(at, b[i]), Math.max(at, b[i])]);
  }

  /** @param {Sight} sight */
  #take({ pan, zoom }) {
    const kept = this.#ends().map(([low, high], i) => {
      const share = LEFT * (high - low);
      return Math.min(high - zoom * (low + share), Math.max(low - zoom * (high - share), pan[i]));
    });
    this.#put(kept, zoom);
  }

  /** @param {number[]} pan @param {number} zoom */
  #put([x, y, z], zoom) {
    const nv = this.#nv;
    nv.scene.pan2Dxyzmm = [x, y, z, zoom];
    nv.opts.crosshairWidth = LINE / zoom;
    // NiiVue makes the lines anew where the crosshair has moved, and else keeps their width, 20 times as wide on the screen.
    if (nv.crosshairs3D?.mm) nv.crosshairs3D.mm[0] = Number.NaN;
    this.#draw();
  }
}
