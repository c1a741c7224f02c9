/**
 * Mouse, pen and touch over the slices. With a tool in hand the pointer is the tool's, and NiiVue, which listens on the canvas
 * below, hears nothing of it; with none, over the 3-D view, or with another button, all goes to NiiVue.
 */

const ERASER_END = 32; // PointerEvent.buttons of a pen that is turned round
/** A finger that moved so many pixels is not the first of two. */
const MOVED = 6;

/** @typedef {import('../view/tiles.js').Tile} Tile */
/** @typedef {{ to(place: number[]): unknown, end(): unknown }} Line what a pointer draws */
/** `wait`: where a finger came down that may be the first of two, before anything is drawn. @typedef {{ id: number, tile: Tile, line: Line, wait?: { x: number, y: number, place: number[] } }} Stroke */

/**
 * @typedef {object} PenParts
 * @property {import('./tool.js').Tool} tool
 * @property {() => import('../view/tiles.js').Tiles | undefined} tiles
 * @property {() => boolean} isInHand whether there is a tool that the pointer belongs to
 * @property {(tile: Tile, erases: boolean) => Line} line begins with what the tool draws in a tile
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
    const { isInHand, tiles } = this.#parts;
    return isInHand() ? (tiles()?.under(at) ?? null) : null;
  }

  /** The pointer in the tile in which the stroke began: beyond its edge it goes on in its plane. @param {Tile} tile @param {PointerEvent} event */
  #placeIn(tile, { clientX, clientY }) {
    const { left, top } = this.#stage.getBoundingClientRect();
    return tile.placeAt(clientX - left, clientY - top);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const { tool } = this.#parts;
    const erases = Boolean(event.buttons & ERASER_END);
    const found = event.button === 0 || erases ? this.#under(event) : null;
    if (this.#stroke) return event.stopPropagation();
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    // preventDefault keeps the focus where it is, and the keys belong here.
    this.#stage.querySelector('canvas')?.focus({ preventScroll: true });
    const { tile } = found;
    const place = this.#placeIn(tile, event);
    tool.set({ plane: tile.plane });
    this.#stage.setPointerCapture(event.pointerId);
    const line = this.#parts.line(tile, erases);
    this.#stroke = { id: event.pointerId, tile, line };
    if (event.pointerType === 'touch') this.#stroke.wait = { x: event.clientX, y: event.clientY, place };
    else line.to(place);
  }

  /** Whether nothing is being drawn: a finger that has not yet drawn is let go of. */
  letGo() {
    if (this.#stroke?.wait) this.#stroke = null;
    return this.#stroke === null;
  }

  /** What a finger that waited begins with. @param {Stroke} stroke */
  #begin(stroke) {
    if (stroke.wait) stroke.line.to(stroke.wait.place);
    delete stroke.wait;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { hover } = this.#parts;
    if (!this.#stroke) {
      const found = event.pointerType === 'touch' ? null : this.#under(event);
      return found ? hover(found.tile, this.#placeIn(found.tile, event)) : hover(null);
    }
    event.stopPropagation();
    const { id, tile, line, wait } = this.#stroke;
    if (event.pointerId !== id) return;
    if (wait && Math.hypot(event.clientX - wait.x, event.clientY - wait.y) < MOVED) return;
    this.#begin(this.#stroke);
    // Between two frames a fast pointer reports several places; without them corners would be cut.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) line.to(this.#placeIn(tile, one));
    hover(tile, this.#placeIn(tile, event));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#stroke || event.pointerId !== this.#stroke.id) return;
    event.stopPropagation();
    const stroke = this.#stroke;
    this.#stroke = null;
    if (event.type === 'pointerup') this.#begin(stroke);
    stroke.line.end();
    this.#parts.ended();
  }
}
