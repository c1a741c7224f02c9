/** What went wrong, as the page tells it. */
/** @import { Place } from './types.js' */
import { InsituError } from 'insitu-seg';
import { isPageError, pageError } from './errors.js';
import { state } from './state.js';

/** Shows what was thrown as one sentence; the page stays as it was and can be used. @param {unknown} thrown @param {Place} [place] */
export function fail(thrown, place) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const refusal = error instanceof InsituError ? error : null;
  if (!refusal) console.error(error);
  state.emit('error', { message: error.message, checks: refusal?.checks, isPages: isPageError(error), place });
  state.status = 'error';
}

export function clearError() {
  state.emit('error', null);
  state.announce('');
}

/** The same error with the file's name, if it does not have it. @param {unknown} thrown @param {string} name */
export function withName(thrown, name) {
  if (!(thrown instanceof InsituError) || thrown.message.includes(name)) return thrown;
  const options = { cause: thrown, checks: thrown.checks };
  const message = `${name}: ${thrown.message}`;
  return isPageError(thrown) ? pageError(thrown.code, message, options) : new InsituError(thrown.code, message, options);
}
