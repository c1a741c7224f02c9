/** The engine speaks English; what of it a person meets is told in the page's language, where the page knows the sentence. */

import de from './i18n/de.engine.js';
import { getLanguage } from './i18n.js';

/** @typedef {{ pattern: RegExp, words: string }} Entry */

/** @type {Entry[] | undefined} */
let german;

/** @param {readonly [english: string, german: string]} pair @returns {Entry} */
function entryOf([english, words]) {
  const escaped = english.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\d)\}/g, '(?<b$1>.+?)');
  return { pattern: new RegExp(`^${escaped}$`), words };
}

/** What fills a blank: a sentence, words in a list, or a number, which has a comma. @param {string} part */
function partInWords(part) {
  const whole = engineInWords(part);
  if (whole.isPages) return whole.text;
  const words = part.split(', ').map((word) => engineInWords(word).text);
  return words.join(', ').replace(/^(-?\d+)\.(\d+)$/, '$1,$2');
}

/**
 * A sentence of the engine in the page's language; `isPages` says whether it is.
 * @param {string} sentence @returns {{ text: string, isPages: boolean }}
 */
export function engineInWords(sentence) {
  if (getLanguage() === 'en') return { text: sentence, isPages: true };
  german ??= de.map(entryOf);
  for (const { pattern, words } of german) {
    const found = pattern.exec(sentence);
    if (!found) continue;
    const blank = (/** @type {string} */ _, /** @type {string} */ n) => partInWords(found.groups?.[`b${n}`] ?? '');
    return { text: words.replace(/\{(\d)\}/g, blank), isPages: true };
  }
  return { text: sentence, isPages: false };
}
