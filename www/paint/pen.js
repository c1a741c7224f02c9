/**
 * Mouse, pen and touch over the slices. With a tool in hand the pointer is the tool's, and NiiVue, which listens on the canvas
 * below, hears nothing of it; with none, over the 3-D view, or with another button, all goes to NiiVue.
 */
import { isBrush } from './tool.js';

const ERASER_END = 32; // PointerEvent.buttons of a pen that is turned round

/**
 * @param {HTMLElement} stage around the canvas
 * @param {{ tool: import('./tool.js').Tool, tiles(): ReturnType<import('../view/tiles.js').createTiles> | undefined, editor(): object | null,
 *   use(place: number[], plane: number): void, hover(tile: object | null, place?: number[]): void, ended(): void }} parts
 *   `use`: a tool without a trace was put down; `ended`: a stroke is over
 */
export function attachPen(stage, { tool, tiles, editor, use, hover, ended }) {
  let stroke = null; // { id, tile, strokes }

  const under = (event) => (editor() && tool.kind !== 'look' ? (tiles()?.under(event) ?? null) : null);

  /** The pointer in the tile in which the stroke began: beyond its edge it goes on in its plane. */
  const placeIn = (tile, { clientX, clientY }) => {
    const { left, top } = stage.getBoundingClientRect();
    return tile.placeAt(clientX - left, clientY - top);
  };

  const down = (event) => {
    const found = event.button === 0 || event.buttons & ERASER_END ? under(event) : null;
    if (stroke) return event.stopPropagation();
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    // preventDefault keeps the focus where it is, and the keys belong here.
    stage.querySelector('canvas').focus({ preventScroll: true });
    const { tile } = found;
    const place = placeIn(tile, event);
    tool.set({ plane: tile.plane });
    if (!isBrush(tool.kind)) return use(place.map(Math.round), tile.plane);
    stage.setPointerCapture(event.pointerId);
    stroke = { id: event.pointerId, tile, line: editor().stroke(tool.brush(tile.plane, Boolean(event.buttons & ERASER_END))) };
    stroke.line.to(place);
  };

  const move = (event) => {
    if (!stroke) {
      const found = event.pointerType === 'touch' ? null : under(event);
      return hover(found?.tile ?? null, found && placeIn(found.tile, event));
    }
    event.stopPropagation();
    if (event.pointerId !== stroke.id) return;
    // Between two frames a fast pointer reports several places; without them corners would be cut.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) stroke.line.to(placeIn(stroke.tile, one));
    hover(stroke.tile, placeIn(stroke.tile, event));
  };

  const up = (event) => {
    if (event.pointerId !== stroke?.id) return;
    event.stopPropagation();
    const { line } = stroke;
    stroke = null;
    line.end();
    ended();
  };

  const listen = (name, listener) => stage.addEventListener(name, listener, { capture: true, passive: false });
  listen('pointerdown', down);
  listen('pointermove', move);
  listen('pointerup', up);
  listen('pointercancel', up);
  stage.addEventListener('pointerleave', () => stroke || hover(null));
  // NiiVue listens to mouse and touch events of their own, which follow those of the pointer.
  for (const name of ['mousedown', 'mousemove', 'mouseup']) listen(name, (event) => stroke && event.stopPropagation());
  for (const name of ['touchstart', 'touchmove', 'touchend']) {
    listen(name, (event) => {
      const touch = event.changedTouches[0];
      if (!stroke && !(touch && under(touch))) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
}
