/** The converter of DICOM files in a thread of its own, fetched when it is needed and not before. */
/** @import { Answer, Asked } from './dcm2niix.worker.js' */

import { t } from '../i18n.js';

export class Converter {
  #worker = new Worker(new URL('./dcm2niix.worker.js', import.meta.url), { type: 'module' });

  /** One series at a time. @param {Asked} asked @returns {Promise<Answer>} */
  convert(asked) {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
      this.#worker.onerror = ({ message }) => reject(new Error(message || t('dicomNoCode')));
      this.#worker.postMessage(asked);
    });
  }

  close() {
    this.#worker.terminate();
  }
}
