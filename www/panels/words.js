/** Names of a model's parts as a person reads them. */
import { t } from '../i18n.js';

/** An object's name, which for a side of the body is a word of the page's language. @param {string} name */
export const nameOfObject = (name) => (name === 'left' ? t('left') : name === 'right' ? t('right') : name);
