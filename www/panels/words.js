/** Names of a model's parts, and sentences of the engine, as a person reads them. */
import { element } from '../dom.js';
import { engineInWords } from '../engine-words.js';
import { t } from '../i18n.js';

/** An object's name, which for a side of the body is a word of the page's language. @param {string} name */
export const nameOfObject = (name) => (name === 'left' ? t('left') : name === 'right' ? t('right') : name);

/** A list of the engine's sentences; without any it is hidden. @param {HTMLElement} parent @param {readonly string[]} sentences */
export function listSentences(parent, sentences) {
  const rows = sentences.map(engineInWords).map(({ text, isPages }) => element('li', { lang: isPages ? '' : 'en' }, text));
  parent.replaceChildren(...rows);
  parent.hidden = sentences.length === 0;
}

/** Writes a sentence of the engine. @param {HTMLElement} line @param {string} sentence */
export function writeSentence(line, sentence) {
  const { text, isPages } = engineInWords(sentence);
  line.textContent = text;
  line.lang = isPages ? '' : 'en';
}
