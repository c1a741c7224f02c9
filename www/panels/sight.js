/** How near the slices are: zoom and pan, by keys and by buttons that are there while anything is other than at the beginning. */
import { $, onClick } from '../dom.js';
import { t, tenths } from '../i18n.js';
import { state } from '../state.js';

/** Of a key or a button. */
const STEP = 1.25;
/** Of what is seen. */
const SHARE = 0.15;

export function setUpSight() {
  onClick('zoom-in', () => zoom(1));
  onClick('zoom-out', () => zoom(-1));
  onClick('sight-reset', resetSight);
  state.on('drawn', showSight);
}

/** About the crosshair. @param {number} steps */
export function zoom(steps) {
  const view = state.shownView;
  if (!view) return;
  const { camera, place } = view;
  const now = camera.now;
  camera.move(now, place, place, now.zoom * STEP ** steps);
}

/** Moves what is seen in the slice that the keys work in. @param {number} right @param {number} up */
export function pan(right, up) {
  const view = state.shownView;
  const tile = view?.tiles.all().find(({ plane }) => plane === state.tool.plane) ?? view?.tiles.all()[0];
  if (!view || !tile) return;
  const { left, top, width, height } = tile;
  const [x, y] = [left + width / 2, top + height / 2];
  view.camera.move(view.camera.now, tile.placeAt(x + right * SHARE * width, y - up * SHARE * height), tile.placeAt(x, y));
}

export function resetSight() {
  const { activeElement } = document;
  state.shownView?.camera.reset();
  // A button that is hidden under the focus would send the keyboard back to the start of the page.
  if ($('zoom').contains(activeElement)) $('slices').focus();
}

function showSight() {
  const camera = state.shownView?.camera;
  $('zoom').hidden = !camera?.isMoved;
  if (camera) $('zoom-now').textContent = t('zoomTimes', { times: tenths(camera.now.zoom) });
}
