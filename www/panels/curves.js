/** The curves of a tuning as it goes, over its steps: the loss, and the Dice of what was held out. Each has its axis; in words too. */
/** @import { TuningPoint } from '../types.js' */
import { shape } from '../dom.js';
import { dice, number, t } from '../i18n.js';

const [WIDTH, HEIGHT] = [360, 190];
/** What is between the axes. */
const PLOT = { left: 40, right: 322, top: 30, bottom: 150 };

/** @typedef {'loss' | 'dice'} Curve */
/** @typedef {{ at: number, value: number }} Sample */

/** @param {SVGElement} svg @param {HTMLElement} caption @param {TuningPoint[]} points */
export function drawCurves(svg, caption, points) {
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  const [loss, overlap] = [valuesOf(points, 'loss'), valuesOf(points, 'dice')];
  const steps = Math.max(1, ...points.map(({ at }) => at));
  const top = roundUp(Math.max(0, ...loss.map(({ value }) => value)));
  svg.replaceChildren(
    ...frame(steps, top),
    ...legend(),
    ...curveOf(loss, 'loss', steps, top),
    // Looked at now and then: the points are what is known.
    ...curveOf(overlap, 'dice', steps, 1),
  );
  const [lastLoss, lastDice] = [loss.at(-1), overlap.at(-1)];
  const words = t('curves', { loss: lastLoss ? number(lastLoss.value) : '–', dice: lastDice ? dice(lastDice.value) : '–' });
  svg.setAttribute('aria-label', words);
  caption.textContent = words;
}

/** Once for each value: the Dice is told with every step, and changes with every look. @param {TuningPoint[]} points @param {Curve} kind @returns {Sample[]} */
const valuesOf = (points, kind) =>
  points.flatMap((point) => {
    const value = point[kind];
    return typeof value === 'number' && Number.isFinite(value) ? [{ at: point.at, value }] : [];
  });

/** The next of 1, 2, 5 times a power of ten. @param {number} value */
function roundUp(value) {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * ([1, 2, 5, 10].find((times) => times * unit >= value) ?? 10);
}

/** @param {number} share */
const across = (share) => PLOT.left + share * (PLOT.right - PLOT.left);
/** @param {number} share */
const up = (share) => PLOT.bottom - share * (PLOT.bottom - PLOT.top);

/** Both axes and that of the steps, each with numbers and a name. @param {number} steps @param {number} top of the loss */
function frame(steps, top) {
  const lines = [0, 0.5, 1].flatMap((share) => [
    shape('line', { class: 'grid', x1: PLOT.left, x2: PLOT.right, y1: up(share), y2: up(share) }),
    text(number(share * top), { x: PLOT.left - 5, y: up(share) + 4, 'text-anchor': 'end' }),
    text(number(share), { x: PLOT.right + 5, y: up(share) + 4 }),
  ]);
  const ends = [text('0', { x: PLOT.left, y: PLOT.bottom + 16, 'text-anchor': 'middle' })];
  ends.push(text(number(steps), { x: PLOT.right, y: PLOT.bottom + 16, 'text-anchor': 'middle' }));
  return [...lines, ...ends, text(t('curveSteps'), { x: across(0.5), y: HEIGHT - 8, 'text-anchor': 'middle' })];
}

/** The names of both curves, each over its axis, with a piece of its line. */
function legend() {
  const mark = (/** @type {Curve} */ kind, /** @type {number} */ x) => shape('line', { class: kind, x1: x, x2: x + 20, y1: 13, y2: 13 });
  return [
    mark('loss', 6),
    text(t('curveLoss'), { x: 31, y: 17 }),
    mark('dice', WIDTH - 26),
    text(t('curveDice'), { x: WIDTH - 31, y: 17, 'text-anchor': 'end' }),
  ];
}

/** @param {Sample[]} found @param {Curve} kind @param {number} steps @param {number} top */
function curveOf(found, kind, steps, top) {
  if (found.length === 0) return [];
  const points = found.map(({ at, value }) => `${across(at / steps).toFixed(1)},${up(value / top).toFixed(1)}`);
  return [shape('polyline', { class: kind, points: points.join(' ') })];
}

/** @param {string} words @param {Record<string, string | number>} attributes */
function text(words, attributes) {
  const made = shape('text', attributes);
  made.textContent = words;
  return made;
}
