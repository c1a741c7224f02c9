/** Measuring a distance: by drawing in a slice, or by the keys from crosshair to crosshair. One at a time, with its length beside it. */
/** @import { Overlay } from '../paint/overlay.js' */
/** @import { Ruler } from '../paint/ruler.js' */
/** @import { Tile } from '../view/tiles.js' */
import { $, onClick } from '../dom.js';
import { t, tenths } from '../i18n.js';
import { lengthOf } from '../paint/ruler.js';
import { state } from '../state.js';

/** @type {Ruler | null} */
let ruler = null;
/** Its second end follows the crosshair. */
let isOpen = false;

/** @param {Overlay} overlay */
export function setUpRuler(overlay) {
  onClick('measure-clear', () => {
    put(null);
    $('slices').focus();
  });
  state.on('opened', () => put(null));
  state.on('crosshair', () => {
    const view = state.shownView;
    if (isOpen && ruler && view) put({ ...ruler, to: view.place }, true);
  });
  const draw = () => {
    const view = state.shownView;
    if (view) overlay.showRuler(view.tiles.all(), ruler, view.place, words());
  };
  state.on('drawn', draw);
  state.tool.listen(showRuler);
}

const words = () => (ruler && state.shownView ? t('millimetres', { mm: tenths(lengthOf(state.shownView.grid, ruler)) }) : '');

/** @param {Ruler | null} next @param {boolean} [open] */
function put(next, open = false) {
  [ruler, isOpen] = [next, open];
  showRuler();
  state.view?.draw();
}

function showRuler() {
  $('measured').textContent = ruler ? t('measured', { length: words() }) : t('measureHint');
  $('measure-clear').hidden = ruler === null;
  $('measured-field').classList.toggle('off', state.tool.kind !== 'measure');
}

/** Drawn by a pointer in a tile. @param {Tile} tile */
export function rulerLine({ plane }) {
  /** @type {number[] | undefined} */
  let from;
  return {
    to(/** @type {number[]} */ place) {
      from ??= place;
      put({ from, to: place.with(plane, from[plane]), plane });
    },
    end() {
      // A click without a way is none.
      if (ruler && lengthOf(/** @type {NonNullable<typeof state.shownView>} */ (state.shownView).grid, ruler) === 0) put(null);
    },
  };
}

/** The keys put one end after the other at the crosshair. @param {number[]} place */
export function rulerAt(place) {
  if (isOpen && ruler) {
    put({ ...ruler, to: place });
  } else {
    put({ from: place, to: place }, true);
  }
}
