/**
 * Mouse, pen and touch over the slices. With a tool in hand the pointer is the tool's, and NiiVue, which listens on the canvas
 * below, hears nothing of it; with none, over the 3-D view, or with another button, all goes to NiiVue.
 */
import { isBrush } from './tool.js';

const ERASER_END = 32; // PointerEvent.buttons of a pen that is turned round

/** @typedef {import('../view/tiles.js').Tile} Tile */
/** @typedef {{ id: number, tile: Tile, line: ReturnType<import('../edit/editor.js').Editor['stroke']> }} Stroke */

/**
 * @typedef {object} PenParts
 * @property {import('./tool.js').Tool} tool
 * @property {() => import('../view/tiles.js').Tiles | undefined} tiles
 * @property {() => import('../edit/editor.js').Editor | null} editor
 * @property {(place: number[], plane: number) => void} use a tool without a trace was put down
 * @property {(tile: Tile | null, place?: number[]) => void} hover
 * @property {() => void} ended a stroke is over
 */

export class Pen {
  #stage;
  #parts;
  /** @type {Stroke | null} */
  #stroke = null;

  /** @param {HTMLElement} stage around the canvas @param {PenParts} parts */
  constructor(stage, parts) {
    this.#stage = stage;
    this.#parts = parts;
    this.#listen('pointerdown', (event) => this.#down(event));
    this.#listen('pointermove', (event) => this.#move(event));
    this.#listen('pointerup', (event) => this.#up(event));
    this.#listen('pointercancel', (event) => this.#up(event));
    stage.addEventListener('pointerleave', () => this.#stroke || parts.hover(null));
    this.#keepFromNiivue();
  }

  /** @template {keyof HTMLElementEventMap} Name @param {Name} name @param {(event: HTMLElementEventMap[Name]) => void} listener */
  #listen(name, listener) {
    this.#stage.addEventListener(name, listener, { capture: true, passive: false });
  }

  /** NiiVue listens to mouse and touch events of their own, which follow those of the pointer. */
  #keepFromNiivue() {
    for (const name of /** @type {const} */ (['mousedown', 'mousemove', 'mouseup'])) {
      this.#listen(name, (event) => this.#stroke && event.stopPropagation());
    }
    for (const name of /** @type {const} */ (['touchstart', 'touchmove', 'touchend'])) {
      this.#listen(name, (event) => {
        const touch = event.changedTouches[0];
        if (!this.#stroke && !(touch && this.#under(touch))) return;
        event.preventDefault();
        event.stopPropagation();
      });
    }
  }

  /** The tile under the pointer, while a tool is in hand. @param {{ clientX: number, clientY: number }} at */
  #under(at) {
    const { editor, tool, tiles } = this.#parts;
    return editor() && tool.kind !== 'look' ? (tiles()?.under(at) ?? null) : null;
  }

  /** The pointer in the tile in which the stroke began: beyond its edge it goes on in its plane. @param {Tile} tile @param {PointerEvent} event */
  #placeIn(tile, { clientX, clientY }) {
    const { left, top } = this.#stage.getBoundingClientRect();
    return tile.placeAt(clientX - left, clientY - top);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const { editor, tool, use } = this.#parts;
    const erases = Boolean(event.buttons & ERASER_END);
    const found = event.button === 0 || erases ? this.#under(event) : null;
    if (this.#stroke) return event.stopPropagation();
    const target = editor();
    if (!found || !target) return;
    event.preventDefault();
    event.stopPropagation();
    // preventDefault keeps the focus where it is, and the keys belong here.
    this.#stage.querySelector('canvas')?.focus({ preventScroll: true });
    const { tile } = found;
    const place = this.#placeIn(tile, event);
    tool.set({ plane: tile.plane });
    if (!isBrush(tool.kind)) return use(place.map(Math.round), tile.plane);
    this.#stage.setPointerCapture(event.pointerId);
    this.#stroke = { id: event.pointerId, tile, line: target.stroke(tool.brush(tile.plane, erases)) };
    this.#stroke.line.to(place);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { hover } = this.#parts;
    if (!this.#stroke) {
      const found = event.pointerType === 'touch' ? null : this.#under(event);
      return found ? hover(found.tile, this.#placeIn(found.tile, event)) : hover(null);
    }
    event.stopPropagation();
    const { id, tile, line } = this.#stroke;
    if (event.pointerId !== id) return;
    // Between two frames a fast pointer reports several places; without them corners would be cut.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) line.to(this.#placeIn(tile, one));
    hover(tile, this.#placeIn(tile, event));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#stroke || event.pointerId !== this.#stroke.id) return;
    event.stopPropagation();
    const { line } = this.#stroke;
    this.#stroke = null;
    line.end();
    this.#parts.ended();
  }
}
