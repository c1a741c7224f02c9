/** What a model looks for: its objects with their labels, and the boxes in which they are segmented. Knows no page. */
/** @import { ModelCard } from 'insitu-seg' */
/** @import { Box, Grid } from './edit/grid.js' */
/** @import { Case, MadeBy, NamedBox, Result } from './types.js' */
import { boxFromFile, boxToFile } from './edit/grid.js';

/** How the object of a model is called that names none. */
const ONLY_OBJECT = 'object';

/** @typedef {{ name: string, labels: number[] }} ModelObject */

/** What a mask is to say of the model that made it. @param {ModelCard} card @param {boolean} isTuned @returns {MadeBy} */
export function madeBy({ name, title: full, labels, objects, scan, tuned }, isTuned) {
  // In the engine's own words a tuned model says so in its title.
  const title = isTuned ? full?.replace(/, (tuned|tuned and refused|a variant for other images|own variant: .*)$/, '') : full;
  const ownVariant = isTuned ? tuned?.own_variant : undefined;
  const scans = scan ? { scan: { labels: scan.labels, objects: scan.objects } } : {};
  return { name, title, labels, objects, ...scans, isTuned, ...(ownVariant ? { ownVariant } : {}) };
}

/** Whether a mask was made by a model, tuned or not: of that name and with the same labels. @param {Omit<MadeBy, 'isTuned'>} card @param {Pick<Case, 'madeBy' | 'result'>} one */
export function isMaskOf(card, { madeBy, result }) {
  const labelsOf = (/** @type {Pick<MadeBy, 'labels' | 'scan'>} */ { labels, scan }) => JSON.stringify([labels, scan?.labels]);
  // One of an earlier version of the page says the name only.
  if (!madeBy) return (result?.report?.model?.name ?? card.name) === card.name;
  return madeBy.name === card.name && labelsOf(madeBy) === labelsOf(card);
}

/**
 * The objects of an image in the card's order; labels are those of the first, then of the second. An image of one object, as a model may
 * take beside whole scans, has the labels of that object only.
 * @param {Pick<MadeBy, 'objects' | 'labels' | 'scan'>} card @param {readonly { index: number }[]} classes of the image's result @returns {ModelObject[]}
 */
export function objectsOf(card, classes) {
  const { objects = [], labels } = card.scan ?? card;
  const share = labels.length / Math.max(1, objects.length);
  const there = new Set(classes.map(({ index }) => index));
  const all = objects.map(({ name }, i) => ({ name, labels: labels.slice(i * share, (i + 1) * share).map(({ index }) => index) }));
  const shown = all.filter((one) => one.labels.every((index) => there.has(index)));
  return shown.length > 0 ? shown : [{ name: ONLY_OBJECT, labels: [...there] }];
}

/**
 * The side that an image of one object was taken for, and the other one, of a model that knows both; null of any other image.
 * @param {Pick<MadeBy, 'objects' | 'labels' | 'scan'>} card @param {Pick<Result, 'classes' | 'boxes'>} result
 * @returns {{ taken: string, other: string, agreement?: number } | null}
 */
export function sidesOf(card, { classes, boxes = [] }) {
  const names = card.scan?.objects.map(({ name }) => name) ?? [];
  if (names.length !== 2 || boxes.length !== 1 || objectsOf(card, classes).length !== 1) return null;
  const [{ object: taken, agreement }] = boxes;
  const other = names.find((name) => name !== taken);
  return other !== undefined && names.includes(taken) ? { taken, other, agreement } : null;
}

/** An object among several, by its name. @param {ModelObject[]} objects @param {string} name @returns {ModelObject | undefined} */
export const amongSeveral = (objects, name) => (objects.length > 1 ? objects.find((one) => one.name === name) : undefined);

/**
 * The boxes of a result in voxels of the grid shown. One that was kept by an earlier version has a single box, without a name.
 * @param {Grid} grid @param {number[]} fileDims @param {Pick<Result, 'box' | 'boxes'>} result @returns {NamedBox[]}
 */
export const boxesOf = (grid, fileDims, { box, boxes = [{ object: '', ...box }] }) =>
  boxes.map((one) => ({ object: one.object, ...boxFromFile(grid, fileDims, one) }));

/** One of the boxes replaced, or put in; in the order of the objects. @param {ModelObject[]} objects @param {readonly NamedBox[]} boxes @param {NamedBox[]} fresh */
export function withBoxes(objects, boxes, fresh) {
  const names = objects.map(({ name }) => name);
  const isFresh = (/** @type {NamedBox} */ { object }) => fresh.some((one) => one.object === object);
  return [...boxes.filter((one) => !isFresh(one)), ...fresh].sort((a, b) => names.indexOf(a.object) - names.indexOf(b.object));
}

/**
 * A box around a place, as large as the middle of the images that a model was trained on, moved into the image where it would reach
 * beyond. A model of several objects that was trained on whole heads too has no such middle: there the box is as large as that of
 * another object, or as the smallest image.
 * @param {Grid} grid @param {number[]} place @param {ModelCard['field_mm']} field @param {readonly Box[]} [others] boxes of other objects, where the model has several @returns {Box}
 */
export function usualBox({ dims, spacing }, place, { min, max }, others) {
  const voxels = (/** @type {(axis: number) => number} */ mm) =>
    dims.map((n, axis) => Math.min(n, Math.max(1, Math.round(mm(axis) / spacing[axis]))));
  const middle = voxels((axis) => (min[axis] + max[axis]) / 2);
  const isBox = !others || middle.every((side, axis) => 2 * side <= dims[axis]);
  const other = others?.[0];
  const sides = isBox ? middle : other ? other.end.map((end, axis) => end - other.start[axis]) : voxels((axis) => min[axis]);
  const start = sides.map((side, axis) => Math.max(0, Math.min(dims[axis] - side, Math.round(place[axis] + 0.5 - side / 2))));
  return { start, end: start.map((at, axis) => at + sides[axis]) };
}

/**
 * What is known after one object was segmented by itself: of it what is new, of the others what was known before.
 * @param {Result} before @param {Result} after @param {string} object @param {ModelObject[]} objects @returns {Result}
 */
export function mergedResult(before, after, object, objects) {
  const boxes = objects.flatMap(({ name }) => ((name === object ? after : before).boxes ?? []).filter((box) => box.object === name));
  const isAboutIt = (/** @type {string} */ sentence) => sentence.startsWith(`${object}: `) || sentence.includes(`${object} object`);
  const { intracranialMl } = before;
  const box = boxes[0] ?? before.box;
  const warnings = [...new Set([...before.warnings.filter((sentence) => !isAboutIt(sentence)), ...after.warnings])];
  return {
    ...after,
    box,
    boxes,
    classes: before.classes.map((one) => after.classes.find(({ index }) => index === one.index) ?? one),
    ...(intracranialMl === undefined ? {} : { intracranialMl }),
    warnings,
    report: { ...after.report, box, boxes, warnings, ...(intracranialMl === undefined ? {} : { intracranial_ml: intracranialMl }) },
  };
}

/** A box of the grid for the engine. @param {Case} one @param {NamedBox} box */
export function whereOf({ editor, info }, box) {
  if (!editor || !info) return {};
  const inFile = /** @type {import('insitu-seg').Box} */ (boxToFile(editor.grid, info.dims, box));
  return box.object ? { boxes: { [box.object]: inFile }, only: true } : { box: inFile };
}

/** The box that the page's address gave for the first run. @param {Case} one */
export function linkedWhere({ editor, linkedBox }) {
  if (editor || !linkedBox) return {};
  const { object, ...box } = linkedBox;
  return object === undefined ? { box } : { boxes: { [object]: box } };
}

/** The box of an image of one object, as that of a side. @param {Case} one @param {string} [side] @returns {NamedBox | undefined} */
export function sideBox(one, side) {
  const [box] = one.boxes ?? [];
  return side !== undefined && box ? { ...box, object: side } : undefined;
}
