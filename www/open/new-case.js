/** A volume as it begins, before anything is known of it. */
/** @import { Image } from './pair.js' */
/** @import { Case } from '../types.js' */

let nextId = 1;

/** @param {Image & Pick<Case, 'isSample' | 'converted'>} image @returns {Case} */
export const newCase = (image) => ({ ...image, id: `${Date.now().toString(36)}-${nextId++}`, checked: new Map() });
