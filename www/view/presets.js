/** Windows to choose from: of any image, and of CT, whose values mean the same everywhere. Knows no page. */
/** @import { Key } from '../i18n.js' */

/** Hounsfield units: the middle and the width. @type {readonly (readonly [Key, number, number])[]} */
const CT = [
  ['windowBrain', 40, 80],
  ['windowTissue', 50, 400],
  ['windowLiver', 30, 150],
  ['windowBone', 400, 1800],
  ['windowLung', -600, 1500],
];

/** @typedef {{ name: Key, low: number, high: number }} Preset */

/** @param {{ min: number, max: number, robust: number[] }} image @param {boolean} isCt @returns {Preset[]} */
export function presetsOf({ min, max, robust: [low, high] }, isCt) {
  const any = [
    { name: /** @type {const} */ ('windowAuto'), low, high },
    { name: /** @type {const} */ ('windowFull'), low: min, high: max },
  ];
  return [...any, ...(isCt ? CT.map(([name, middle, width]) => ({ name, low: middle - width / 2, high: middle + width / 2 })) : [])];
}
