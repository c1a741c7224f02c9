/** What lies over the slices: the outline of the brush, and the box of the second network with sides to drag. Drawn as SVG. */

const SVG = 'http://www.w3.org/2000/svg';
const shape = (tag, attributes) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

/** The outline of a disc of `radius` mm around a place, as the tile shows it: an ellipse where the grid is anisotropic or sheared. */
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

/**
 * @param {SVGElement} svg over the canvas, of its size
 * @param {{ onBox(box: { start: number[], end: number[] }, done: boolean): void }} listeners the box is dragged, and let go
 */
export function createOverlay(svg, { onBox }) {
  const ring = shape('polygon', { class: 'ring' });
  const boxes = shape('g', {});
  svg.replaceChildren(boxes, ring);
  let drag = null;

  const showRing = (points) =>
    ring.setAttribute('points', points ? points.map((at) => at.map((x) => x.toFixed(1)).join(',')).join(' ') : '');

  /** @param {import('../view/tiles.js').Tile[]} tiles @param {{ start: number[], end: number[] } | null} box @param {number[]} here */
  const showBox = (tiles, box, here) => {
    if (drag) return redraw(tiles, box, here);
    boxes.replaceChildren();
    if (box) tiles.forEach((tile, t) => boxes.append(drawn(tile, t, box, here)));
  };

  /** While a side is dragged its element must stay, as it has the pointer. */
  const redraw = (tiles, box, here) => {
    tiles.forEach((tile, t) => {
      const old = boxes.children[t];
      const next = drawn(tile, t, box, here);
      [...next.children].forEach((child, i) => {
        for (const { name, value } of child.attributes) old?.children[i]?.setAttribute(name, value);
      });
    });
  };

  const drawn = (tile, t, box, here) => {
    const group = shape('g', {});
    const [u, v] = tile.along;
    const corner = (at) => {
      const place = [...here];
      [place[u], place[v]] = [at[u] - 0.5, at[v] - 0.5];
      return tile.screenAt(place);
    };
    const [[ax, ay], [bx, by]] = [corner(box.start), corner(box.end)];
    const clamp = (x, y) => [
      Math.min(tile.left + tile.width, Math.max(tile.left, x)),
      Math.min(tile.top + tile.height, Math.max(tile.top, y)),
    ];
    const [[left, top], [right, bottom]] = [clamp(Math.min(ax, bx), Math.min(ay, by)), clamp(Math.max(ax, bx), Math.max(ay, by))];
    const within = here[tile.plane] >= box.start[tile.plane] && here[tile.plane] < box.end[tile.plane];
    group.append(
      shape('rect', {
        class: within ? 'box' : 'box away',
        x: left,
        y: top,
        width: Math.max(0, right - left),
        height: Math.max(0, bottom - top),
      }),
    );
    const side = (axis, which, x1, y1, x2, y2) => {
      const line = shape('line', { class: axis === u ? 'side across' : 'side along', x1, y1, x2, y2 });
      line.addEventListener('pointerdown', (event) => begin(event, line, { tile, axis, which, box, here }));
      group.append(line);
    };
    side(u, 'start', ax, top, ax, bottom);
    side(u, 'end', bx, top, bx, bottom);
    side(v, 'start', left, ay, right, ay);
    side(v, 'end', left, by, right, by);
    return group;
  };

  const begin = (event, line, what) => {
    event.preventDefault();
    event.stopPropagation();
    line.setPointerCapture(event.pointerId);
    drag = { ...what, box: { start: [...what.box.start], end: [...what.box.end] } };
    const { left, top } = svg.getBoundingClientRect();
    line.onpointermove = ({ clientX, clientY }) => {
      const at = Math.round(drag.tile.placeAt(clientX - left, clientY - top)[drag.axis] + 0.5);
      drag.box[drag.which][drag.axis] = at;
      onBox(drag.box, false);
    };
    line.onpointerup = line.onpointercancel = () => {
      const { box } = drag;
      [drag, line.onpointermove, line.onpointerup, line.onpointercancel] = [null, null, null, null];
      onBox(box, true);
    };
  };

  return { showRing, showBox };
}
