/**
 * From the screen to voxels and back, tile by tile. A tile shows one slice; within it screen and voxels are linear in each other,
 * so two points of it, asked of NiiVue, tell the whole way, zoomed, panned or mirrored as it may be.
 *
 * @typedef {{ plane: number, along: number[], left: number, top: number, width: number, height: number,
 *   placeAt(x: number, y: number): number[], screenAt(place: number[]): number[] }} Tile
 *   `plane`: the axis across the slice; `along`: the axes to the right and up; lengths in CSS pixels of the canvas
 */

/** @import { Niivue } from '@niivue/niivue' */
/** @import { Grid } from '../edit/grid.js' */

/** Across which axis the kinds of slices lie, and which axes run to the right and up. */
const KINDS = [
  { plane: 2, along: [0, 1] },
  { plane: 1, along: [0, 2] },
  { plane: 0, along: [1, 2] },
];

/** @typedef {ReturnType<typeof createTiles>} Tiles */

/** @param {Niivue} nv @param {HTMLCanvasElement} canvas @param {() => Grid | null} gridShown */
export function createTiles(nv, canvas, gridShown) {
  /** @returns {Tile[]} */
  const all = () => {
    const grid = gridShown();
    return grid ? nv.screenSlices.map((slice, index) => tileOf(grid, slice, index)).filter((tile) => tile !== null) : [];
  };

  /** @param {Grid} grid @param {Niivue['screenSlices'][number]} slice @param {number} index @returns {Tile | null} */
  const tileOf = ({ dims }, { axCorSag, leftTopWidthHeight }, index) => {
    const kind = KINDS[axCorSag];
    if (!kind) return null;
    const dpr = nv.uiData.dpr ?? 1;
    let [left, top, width, height] = leftTopWidthHeight;
    if (width < 0) [left, width] = [left + width, -width];
    const ask = (/** @type {number} */ share) => {
      const frac = nv.screenXY2TextureFrac(left + width * share, top + height * share, index, false);
      return kind.along.map((axis) => frac[axis] * dims[axis] - 0.5);
    };
    const [a, b] = [ask(0.25), ask(0.75)];
    if (![...a, ...b].every(Number.isFinite)) return null;
    // Voxels per CSS pixel, and the voxel at the tile's corner.
    const slope = [((b[0] - a[0]) * 2 * dpr) / width, ((b[1] - a[1]) * 2 * dpr) / height];
    const corner = [a[0] - (b[0] - a[0]) / 2, a[1] - (b[1] - a[1]) / 2];
    const css = { left: left / dpr, top: top / dpr, width: width / dpr, height: height / dpr };
    const across = () => nv.scene.crosshairPos[kind.plane] * dims[kind.plane] - 0.5;
    return {
      ...kind,
      ...css,
      placeAt(x, y) {
        const place = [0, 0, 0];
        place[kind.along[0]] = corner[0] + (x - css.left) * slope[0];
        place[kind.along[1]] = corner[1] + (y - css.top) * slope[1];
        place[kind.plane] = Math.round(across());
        return place;
      },
      screenAt: (place) => [
        css.left + (place[kind.along[0]] - corner[0]) / slope[0],
        css.top + (place[kind.along[1]] - corner[1]) / slope[1],
      ],
    };
  };

  /** The tile under a pointer event, with the pointer in CSS pixels of the canvas; null over none, and over the 3-D view. @param {{ clientX: number, clientY: number }} at */
  const under = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    const tile = all().find((one) => x >= one.left && x <= one.left + one.width && y >= one.top && y <= one.top + one.height);
    return tile ? { tile, x, y } : null;
  };

  return { all, under };
}
