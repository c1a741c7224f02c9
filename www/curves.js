/** The curves of a tuning as it goes: the loss, and the Dice of what was held back. Two lines, each on its own scale, in words too. */
import { dice, number, say } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, MARGIN] = [320, 110, 6];

/** @param {SVGElement} svg @param {HTMLElement} caption @param {{ at: number, loss?: number, dice?: number }[]} points `at` from 0 to 1 */
export function drawCurves(svg, caption, points) {
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.replaceChildren(...['loss', 'dice'].flatMap((kind) => curveOf(points, kind)));
  const last = (kind) => points.findLast((point) => Number.isFinite(point[kind]))?.[kind];
  const words = say('curves', {
    loss: last('loss') === undefined ? '–' : number(last('loss')),
    dice: last('dice') === undefined ? '–' : dice(last('dice')),
  });
  svg.setAttribute('aria-label', words);
  caption.textContent = words;
}

function curveOf(points, kind) {
  const found = points.filter((point) => Number.isFinite(point[kind]));
  if (found.length === 0) return [];
  const values = found.map((point) => point[kind]);
  const [low, high] = [Math.min(...values), kind === 'dice' ? 1 : Math.max(...values)];
  const x = (at) => MARGIN + at * (WIDTH - 2 * MARGIN);
  const y = (value) => HEIGHT - MARGIN - ((value - low) / (high - low || 1)) * (HEIGHT - 2 * MARGIN);
  const line = document.createElementNS(SVG, 'polyline');
  line.setAttribute('class', kind);
  line.setAttribute('points', found.map((point) => `${x(point.at).toFixed(1)},${y(point[kind]).toFixed(1)}`).join(' '));
  return [line];
}
