/** Boxes as a caller gives them, for the engine. */
/** @import { Box, RunOptions, Triple } from './index.js' */
import { InsituError } from './error.js';

/** @typedef {{ object: string } & Box} NamedBox `object`: '' of the only one */
/** @typedef {{ boxes: NamedBox[], only: boolean }} ChosenBoxes `only`: nothing but the objects of these boxes is segmented */

/** The boxes of a call; undefined where there are none. Which objects there are the engine knows. @param {RunOptions} options @returns {ChosenBoxes | undefined} */
export function chosenBoxes({ box, boxes, only = false }) {
  if (box && boxes) throw new InsituError('argument', 'Give either box, of a model of one object, or boxes by the names of their objects.');
  if (boxes !== undefined && (typeof boxes !== 'object' || boxes === null)) {
    const expected = "{ left: { start: [x, y, z], end: [x, y, z] } }, with the model's names";
    throw new InsituError('argument', `boxes must be an object such as ${expected}, found ${JSON.stringify(boxes)}.`);
  }
  const chosen = box ? [namedBox('box', '', box)] : Object.entries(boxes ?? {}).map(([name, one]) => namedBox(`boxes.${name}`, name, one));
  if (only && chosen.length === 0) throw new InsituError('argument', 'only segments the objects whose boxes are given, found no boxes.');
  return chosen.length > 0 ? { boxes: chosen, only } : undefined;
}

/** Whether a box lies within the image the engine says. @param {string} place @param {string} object @param {Partial<Box> | null} box @returns {NamedBox} */
function namedBox(place, object, box) {
  const { start, end } = box ?? {};
  if (start && end && isVoxel(start) && isVoxel(end)) return { object, start: asTriple(start), end: asTriple(end) };
  throw new InsituError(
    'argument',
    `${place} must be { start: [x, y, z], end: [x, y, z] } in whole voxels of the file, found ${JSON.stringify(box)}.`,
  );
}

/** @param {readonly number[]} numbers */
const isVoxel = (numbers) => numbers.length === 3 && [...numbers].every((n) => Number.isInteger(n) && n >= 0);

/** @param {readonly number[]} numbers */
const asTriple = ([x, y, z]) => /** @type {Triple} */ ([x, y, z]);
