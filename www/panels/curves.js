/** The curves of a tuning as it goes: the loss, and the Dice of what was held back. Two lines, each on its own scale, in words too. */
/** @import { TuningPoint } from '../types.js' */
import { dice, number, t } from '../i18n.js';

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, MARGIN] = [320, 110, 6];

/** @typedef {'loss' | 'dice'} Curve */

/** @param {SVGElement} svg @param {HTMLElement} caption @param {TuningPoint[]} points */
export function drawCurves(svg, caption, points) {
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  const [loss, overlap] = [valuesOf(points, 'loss'), valuesOf(points, 'dice')];
  svg.replaceChildren(...curveOf(loss, 'loss'), ...curveOf(overlap, 'dice'));
  const [lastLoss, lastDice] = [loss.at(-1), overlap.at(-1)];
  const words = t('curves', { loss: lastLoss ? number(lastLoss.value) : '–', dice: lastDice ? dice(lastDice.value) : '–' });
  svg.setAttribute('aria-label', words);
  caption.textContent = words;
}

/** @param {TuningPoint[]} points @param {Curve} kind */
const valuesOf = (points, kind) =>
  points.flatMap((point) => {
    const value = point[kind];
    return typeof value === 'number' && Number.isFinite(value) ? [{ at: point.at, value }] : [];
  });

/** @param {{ at: number, value: number }[]} found @param {Curve} kind */
function curveOf(found, kind) {
  if (found.length === 0) return [];
  const values = found.map(({ value }) => value);
  const [low, high] = [Math.min(...values), kind === 'dice' ? 1 : Math.max(...values)];
  const x = (/** @type {number} */ at) => MARGIN + at * (WIDTH - 2 * MARGIN);
  const y = (/** @type {number} */ value) => HEIGHT - MARGIN - ((value - low) / (high - low || 1)) * (HEIGHT - 2 * MARGIN);
  const line = document.createElementNS(SVG, 'polyline');
  line.setAttribute('class', kind);
  line.setAttribute('points', found.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' '));
  return [line];
}
