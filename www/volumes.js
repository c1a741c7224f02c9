/** Volumes beside each other: left and right, and what is inside the skull. Knows no page. */
/** @import { Label } from './edit/table.js' */

/** @typedef {{ name: string, left: number, right: number }} Pair labels of one structure on either side, by their values */

/** Labels whose names differ in their first word only, Left and Right. @param {readonly Pick<Label, 'index' | 'name'>[]} table @returns {Pair[]} */
export function pairsOf(table) {
  const on = (/** @type {RegExp} */ side) =>
    table.flatMap(({ index, name }) => (side.test(name) ? [{ index, name: name.replace(side, '').trim() }] : []));
  const right = new Map(on(/^right\s/i).map(({ name, index }) => [name.toLowerCase(), index]));
  return on(/^left\s/i).flatMap(({ name, index }) => {
    const other = right.get(name.toLowerCase());
    return other === undefined ? [] : [{ name: name.charAt(0).toUpperCase() + name.slice(1), left: index, right: other }];
  });
}

/** By how many percent of their mean the left volume is larger than the right; null where either is missing. @param {number} left @param {number} right */
export const asymmetry = (left, right) => (left > 0 && right > 0 ? (200 * (left - right)) / (left + right) : null);
