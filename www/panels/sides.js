/** Left beside right, by how much they differ, and volumes as a share of all that is inside the skull. They follow the brush. */
/** @import { Editor } from '../edit/editor.js' */
/** @import { Pair } from '../volumes.js' */
import { $, element } from '../dom.js';
import { millilitersPerVoxel } from '../edit/grid.js';
import { milliliters, t, tenths } from '../i18n.js';
import { state } from '../state.js';
import { asymmetry, pairsOf } from '../volumes.js';
import { shareOfSkull } from './share.js';

export function setUpSides() {
  state.on('labels', showPairs);
  state.on('volumes', showPairs);
  state.on('mask', (one) => {
    showSkull(one?.result.intracranialMl);
    if (one) showPairs(one.editor);
  });
}

/** @param {number} [volume] mL inside the skull */
function showSkull(volume) {
  $('intracranial').hidden = volume === undefined;
  if (volume !== undefined) $('intracranial-words').textContent = t('intracranial', { volume: milliliters(volume) });
}

/** @param {Editor} editor */
function showPairs({ table, grid, counts }) {
  const pairs = pairsOf(table);
  $('pairs').hidden = pairs.length === 0;
  const perVoxel = millilitersPerVoxel(grid);
  const sums = [0, 0];
  const rows = pairs.map(({ name, left, right }) => {
    const volumes = [left, right].map((index) => counts[index] * perVoxel);
    volumes.forEach((volume, side) => (sums[side] += volume));
    return rowOf(name, volumes);
  });
  if (pairs.length > 1) rows.push(rowOf(t('together'), sums));
  $('pair-rows').replaceChildren(...rows);
}

/** @param {string} name @param {number[]} volumes left and right, mL */
function rowOf(name, [left, right]) {
  const cell = (/** @type {number} */ volume) => element('td', {}, milliliters(volume), ...shareOfSkull(volume));
  const head = element('th', { scope: 'row' }, name);
  return element('tr', {}, head, cell(left), cell(right), element('td', {}, difference(asymmetry(left, right))));
}

/** @param {number | null} percent */
function difference(percent) {
  if (percent === null) return '–';
  const value = tenths(Math.abs(percent));
  if (value === tenths(0)) return t('sidesEqual');
  return percent > 0 ? t('leftLarger', { percent: value }) : t('rightLarger', { percent: value });
}
