/** What lies over the slices: the outline of the brush, the ruler, and the boxes of the second network with sides to drag. Drawn as SVG. */

/** @import { Grid } from '../edit/grid.js' */
/** @import { NamedBox } from '../types.js' */
/** @import { Tile } from '../view/tiles.js' */
/** @import { Ruler } from './ruler.js' */
import { shape } from '../dom.js';
import { seenIn } from './ruler.js';

/**
 * The outline of a disc of `radius` mm around a place, as the tile shows it: an ellipse where the grid is anisotropic or sheared.
 * @param {Grid} grid @param {Tile} tile @param {number[]} place @param {number} radius
 */
export function outline(grid, tile, place, radius) {
  const [u, v] = tile.along;
  const { metric } = grid;
  // Cholesky: the metric of the plane is L L', so L'^-1 takes the unit circle to the disc.
  const a = Math.sqrt(metric[u][u]);
  const b = metric[u][v] / a;
  const c = Math.sqrt(metric[v][v] - b * b);
  return Array.from({ length: 48 }, (_, i) => {
    const angle = (i * Math.PI) / 24;
    const dv = (radius * Math.sin(angle)) / c;
    const at = [...place];
    at[u] += (radius * Math.cos(angle) - b * dv) / a;
    at[v] += dv;
    return tile.screenAt(at);
  });
}

/** @typedef {NamedBox & { color: string, isChosen: boolean }} DrawnBox */
/** @typedef {{ tile: Tile, axis: number, which: 'start' | 'end', box: DrawnBox }} Side of a box in a tile */

export class Overlay {
  #svg;
  #onBox;
  #ring = shape('polygon', { class: 'ring' });
  #ruler = shape('g', {});
  #boxes = shape('g', {});
  #dragging = false;

  /** @param {SVGSVGElement} svg over the canvas, of its size @param {(box: NamedBox) => void} onBox a side of the box is dragged */
  constructor(svg, onBox) {
    this.#svg = svg;
    this.#onBox = onBox;
    svg.replaceChildren(this.#boxes, this.#ruler, this.#ring);
  }

  /** @param {number[][] | null} points */
  showRing(points) {
    this.#ring.setAttribute('points', (points ?? []).map((at) => at.map((x) => x.toFixed(1)).join(',')).join(' '));
  }

  /** The ruler with its length, in the slices that have it or an end of it. @param {Tile[]} tiles @param {Ruler | null} ruler @param {number[]} here @param {string} words */
  showRuler(tiles, ruler, here, words) {
    const parts = tiles.flatMap((tile) => {
      const seen = ruler && seenIn(ruler, tile.plane, here[tile.plane]);
      if (!ruler || !seen) return [];
      const [[x1, y1], [x2, y2]] = [ruler.from, ruler.to].map((end) => tile.screenAt(end)).map(([x, y]) => clamped(tile, x, y));
      const ends = [shape('circle', { class: 'end', cx: x1, cy: y1, r: 3 }), shape('circle', { class: 'end', cx: x2, cy: y2, r: 3 })];
      const text = shape('text', { class: 'length', ...besides(tile, [x1, y1], [x2, y2]) });
      text.textContent = words;
      return [shape('line', { class: seen === 'whole' ? 'ruler' : 'ruler-away', x1, y1, x2, y2 }), ...ends, text];
    });
    this.#ruler.replaceChildren(...parts);
  }

  /** @param {Tile[]} tiles @param {readonly DrawnBox[]} boxes @param {number[]} here the crosshair */
  showBoxes(tiles, boxes, here) {
    const groups = boxes.flatMap((box) => tiles.map((tile) => this.#groupOf(tile, box, here)));
    if (!this.#dragging) return this.#boxes.replaceChildren(...groups);
    // While a side is dragged its element must stay, as it has the pointer.
    groups.forEach((group, t) => {
      const old = this.#boxes.children[t];
      [...group.children].forEach((child, i) => {
        for (const { name, value } of child.attributes) old?.children[i]?.setAttribute(name, value);
      });
    });
  }

  /** The box in one tile: its inside, and four sides to drag. @param {Tile} tile @param {DrawnBox} box @param {number[]} here */
  #groupOf(tile, box, here) {
    const [u, v] = tile.along;
    const corner = (/** @type {number[]} */ at) => {
      const place = [...here];
      [place[u], place[v]] = [at[u] - 0.5, at[v] - 0.5];
      return tile.screenAt(place);
    };
    const [[ax, ay], [bx, by]] = [corner(box.start), corner(box.end)];
    const [left, top] = clamped(tile, Math.min(ax, bx), Math.min(ay, by));
    const [right, bottom] = clamped(tile, Math.max(ax, bx), Math.max(ay, by));
    const within = here[tile.plane] >= box.start[tile.plane] && here[tile.plane] < box.end[tile.plane];
    const size = { width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
    const group = shape('g', {});
    group.append(
      shape('rect', {
        class: within ? 'box' : 'box away',
        stroke: box.color,
        'stroke-width': box.isChosen ? 2.5 : 1.5,
        x: left,
        y: top,
        ...size,
      }),
      this.#sideOf({ tile, axis: u, which: 'start', box }, 'side across', [ax, top, ax, bottom]),
      this.#sideOf({ tile, axis: u, which: 'end', box }, 'side across', [bx, top, bx, bottom]),
      this.#sideOf({ tile, axis: v, which: 'start', box }, 'side along', [left, ay, right, ay]),
      this.#sideOf({ tile, axis: v, which: 'end', box }, 'side along', [left, by, right, by]),
    );
    return group;
  }

  /** @param {Side} side @param {string} name @param {number[]} ends */
  #sideOf(side, name, [x1, y1, x2, y2]) {
    const line = shape('line', { class: name, x1, y1, x2, y2 });
    line.addEventListener('pointerdown', (event) => this.#drag(event, line, side));
    return line;
  }

  /** @param {PointerEvent} event @param {SVGLineElement} line @param {Side} side */
  #drag(event, line, { tile, axis, which, box }) {
    event.preventDefault();
    event.stopPropagation();
    line.setPointerCapture(event.pointerId);
    this.#dragging = true;
    const { left, top } = this.#svg.getBoundingClientRect();
    const dragged = { object: box.object, start: [...box.start], end: [...box.end] };
    line.onpointermove = ({ clientX, clientY }) => {
      dragged[which][axis] = Math.round(tile.placeAt(clientX - left, clientY - top)[axis] + 0.5);
      this.#onBox(dragged);
    };
    line.onpointerup = line.onpointercancel = () => {
      this.#dragging = false;
      line.onpointermove = line.onpointerup = line.onpointercancel = null;
      this.#onBox(dragged);
    };
  }
}

/** @param {Tile} tile @param {number} x @param {number} y */
const clamped = ({ left, top, width, height }, x, y) => [
  Math.min(left + width, Math.max(left, x)),
  Math.min(top + height, Math.max(top, y)),
];

/** Where the length of a ruler is written: beside its second end, away from the first, and within the tile. @param {Tile} tile @param {number[]} from @param {number[]} to */
function besides({ left, top, width, height }, [x1, y1], [x2, y2]) {
  const right = x2 >= x1 ? x2 < left + width - 80 : x2 < left + 80;
  const y = Math.min(top + height - 8, Math.max(top + 16, y2 + (y2 >= y1 ? 16 : -8)));
  return { x: x2 + (right ? 8 : -8), y, 'text-anchor': right ? 'start' : 'end' };
}
