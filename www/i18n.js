/** The page's sentences in the language that was chosen (i18n/), and numbers as that language writes them. */
import de from './i18n/de.js';
import en from './i18n/en.js';

/** @typedef {keyof typeof en} Key */
/** @typedef {'en' | 'de'} Language */

/** @type {Record<Language, { name: string, table: Record<Key, string> }>} */
export const LANGUAGES = { en: { name: 'English', table: en }, de: { name: 'Deutsch', table: de } };

/** @param {string | undefined} name @returns {name is Language} */
const isLanguage = (name) => name !== undefined && name in LANGUAGES;

/** @type {Language} */
let language = 'en';
/** @type {ReturnType<typeof makeFormats> | undefined} */
let formats;

const makeFormats = () => ({
  three: new Intl.NumberFormat(language, { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false }),
  number: new Intl.NumberFormat(language, { maximumSignificantDigits: 4, useGrouping: false }),
  tenths: new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  thousandths: new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 }),
  change: new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3, signDisplay: 'exceptZero' }),
});

/** @param {keyof ReturnType<typeof makeFormats>} kind @param {number} value */
const format = (kind, value) => (formats ??= makeFormats())[kind].format(value);

/**
 * The language of the address, of the last visit, of the browser, or English.
 * @param {string | null} asked @param {string | null} kept @param {readonly string[]} [browser] @returns {Language}
 */
export function chooseLanguage(asked, kept, browser = []) {
  const names = [asked, kept, ...browser].map((one) => one?.slice(0, 2).toLowerCase());
  return names.find(isLanguage) ?? 'en';
}

/** @param {Language} next */
export function setLanguage(next) {
  language = next;
  formats = undefined;
}

export const getLanguage = () => language;

/** The sentence of that key with its blanks filled. @param {Key} key @param {Record<string, string | number>} [values] */
export const t = (key, values = {}) => LANGUAGES[language].table[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/** @param {number} value */
export const number = (value) => format('number', value);
/** @param {number} value */
export const milliliters = (value) => `${format('three', value)} mL`;
/** @param {number} value */
export const permille = (value) => `${format('three', value)} ‰`;
/** @param {number} value */
export const dice = (value) => format('thousandths', value);
/** Between two Dice, with its sign. @param {number} value */
export const change = (value) => format('change', value);
/** Of a table whose heading has the unit. @param {number} value */
export const thousandths = (value) => format('thousandths', value);
/** @param {number} value */
export const tenths = (value) => format('tenths', value);
/** @param {number} ms */
export const seconds = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${tenths(ms / 1000)} s`);
/** @param {number} count */
export const bytes = (count) => (count < 2 ** 30 ? `${Math.max(1, Math.round(count / 2 ** 20))} MiB` : `${tenths(count / 2 ** 30)} GiB`);

/**
 * Writes the sentences of a document: `data-i18n` is an element's text, `data-i18n-label` its aria-label, `data-i18n-title` its title.
 * @param {ParentNode} root
 */
export function fillIn(root) {
  const fill = (/** @type {string} */ name, /** @type {(element: HTMLElement, text: string) => void} */ write) => {
    for (const one of root.querySelectorAll(`[${name}]`)) {
      write(/** @type {HTMLElement} */ (one), t(/** @type {Key} */ (one.getAttribute(name))));
    }
  };
  fill('data-i18n', (one, text) => (one.textContent = text));
  fill('data-i18n-label', (one, text) => one.setAttribute('aria-label', text));
  fill('data-i18n-title', (one, text) => (one.title = text));
}
