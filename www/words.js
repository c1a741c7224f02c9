/** The page's sentences in the language that was chosen: tables of strings in words/, and numbers as that language writes them. */
import de from './words/de.js';
import en from './words/en.js';

export const LANGUAGES = { en: { name: 'English', table: en }, de: { name: 'Deutsch', table: de } };

let language = 'en';
let shape;
const shapes = () =>
  (shape ??= {
    ml: new Intl.NumberFormat(language, { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false }),
    number: new Intl.NumberFormat(language, { maximumSignificantDigits: 4, useGrouping: false }),
    tenths: new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    dice: new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 }),
  });

/** The language of the address, of the last visit, of the browser, or English. */
export function chooseLanguage(asked, kept, browser = []) {
  const known = [asked, kept, ...browser].map((one) => one?.slice(0, 2).toLowerCase()).filter((one) => one in LANGUAGES);
  return known[0] ?? 'en';
}

export function setLanguage(next) {
  language = next;
  shape = undefined;
}

export const getLanguage = () => language;

/** @param {keyof typeof en} key @param {Record<string, unknown>} [values] */
export function say(key, values = {}) {
  const sentence = LANGUAGES[language].table[key] ?? en[key];
  if (sentence === undefined) throw new Error(`There is no sentence '${key}'.`);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export const number = (value) => shapes().number.format(value);
export const milliliters = (value) => `${shapes().ml.format(value)} mL`;
export const tenths = (value) => shapes().tenths.format(value);
export const dice = (value) => shapes().dice.format(value);
export const seconds = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${tenths(ms / 1000)} s`);
export const bytes = (count) => (count < 2 ** 30 ? `${Math.max(1, Math.round(count / 2 ** 20))} MiB` : `${tenths(count / 2 ** 30)} GiB`);

/**
 * Writes the sentences of a document: `data-say` is an element's text, `data-say-label` its aria-label, `data-say-title` its title.
 * @param {ParentNode} root
 */
export function fillIn(root) {
  for (const one of root.querySelectorAll('[data-say]')) one.textContent = say(one.dataset.say);
  for (const one of root.querySelectorAll('[data-say-label]')) one.setAttribute('aria-label', say(one.dataset.sayLabel));
  for (const one of root.querySelectorAll('[data-say-title]')) one.title = say(one.dataset.sayTitle);
}
