/** Errors of the page's own, whose sentences are in its language; those of the engine are in English. */
import { InsituError } from 'insitu-seg';

/** @type {WeakSet<Error>} */
const pageErrors = new WeakSet();

/** @param {ConstructorParameters<typeof InsituError>} args */
export function pageError(...args) {
  const error = new InsituError(...args);
  pageErrors.add(error);
  return error;
}

/** @param {Error} error */
export const isPageError = (error) => pageErrors.has(error);

/** @param {unknown} thrown */
export const messageOf = (thrown) => (thrown instanceof Error ? thrown.message : String(thrown));
