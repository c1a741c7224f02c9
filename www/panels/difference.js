/** The difference between an imported mask and the one before: on or off, and what each colour is, with its volume. */
/** @import { Side } from '../difference.js' */
/** @import { Key } from '../i18n.js' */
import { COLORS, differenceCounts, endDifference, followIn, isDifferenceShown, keepColors, showDifference } from '../difference.js';
import { $, element, input, onChange, onInput } from '../dom.js';
import { SIDES } from '../edit/difference.js';
import { millilitersPerVoxel } from '../edit/grid.js';
import { milliliters, t } from '../i18n.js';
import { state } from '../state.js';

/** @type {Record<Side, Key>} */
const NAMES = { before: 'onlyBefore', after: 'onlyNow', other: 'otherLabel', both: 'inBoth' };

export function setUpDifference() {
  onChange('difference-show', ({ checked }) => {
    showDifference(checked);
    showLegend();
  });
  state.on('voxels', followIn);
  state.on('labels', keepColors);
  state.on('difference', showLegend);
  // The mask of before a tuning is looked at instead.
  onInput('compare', endAndShow);
  state.on('mask', endAndShow);
}

function endAndShow() {
  endDifference();
  showLegend();
}

function showLegend() {
  const counts = differenceCounts();
  $('difference').hidden = !counts || !state.shownView;
  input('difference-show').checked = isDifferenceShown();
  $('difference-legend').hidden = !isDifferenceShown();
  if (!counts || !state.editor) return;
  const perVoxel = millilitersPerVoxel(state.editor.grid);
  const rows = Object.entries(COLORS).map(([side, color]) => {
    const swatch = element('span', { className: 'swatch' });
    swatch.style.setProperty('--color', color);
    const name = /** @type {Side} */ (side);
    const row = element(
      'li',
      {},
      swatch,
      t(NAMES[name]),
      element('span', { className: 'quiet' }, milliliters(counts[SIDES[name]] * perVoxel)),
    );
    row.dataset.side = side;
    row.dataset.voxels = String(counts[SIDES[name]]);
    return row;
  });
  $('difference-legend').replaceChildren(...rows);
}
