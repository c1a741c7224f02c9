/**
 * What is tried again, and after how long. A lost GPU is asked for again in a new worker; a browser whose GPU process
 * died twice has no adapter for 10 s, which the last pause outlasts. An engine that trapped, or whose worker died, gets
 * one more try, as the image itself may be the reason. All else is an answer and is given to the caller.
 */
/** @import { ErrorCode } from './index.js' */
import { InsituError } from './error.js';

/** @type {Partial<Record<ErrorCode, number[]>>} */
const PAUSES_MS = { device: [250, 4_000, 14_000], internal: [250] };

/** The pauses before each new try after this error, milliseconds; none where it is not tried again. @param {InsituError} error */
export const pausesAfter = (error) => PAUSES_MS[error.code] ?? [];

/** Whether the engine, and not the caller or the image, is to blame. @param {InsituError} error */
export const isBroken = (error) => error.code in PAUSES_MS;

/**
 * Resolves after `ms`, or at once when one of `signals` is aborted.
 * @param {number} ms @param {AbortSignal[]} signals @returns {Promise<void>}
 */
export function pause(ms, ...signals) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', done);
      resolve();
    }
    for (const signal of signals) signal.addEventListener('abort', done);
    if (signals.some(({ aborted }) => aborted)) done();
  });
}

/**
 * What `starting` gives, if it comes within `ms`; by the code of the error threads are not tried again.
 * @template T @param {Promise<T>} starting @param {number} threads how many are started @param {number} ms
 */
export function startedInTime(starting, threads, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const error = new InsituError('unsupported', `The engine's ${threads} threads did not start within ${ms / 1000} s.`);
  const late = new Promise((/** @type {(never: never) => void} */ _, reject) => {
    timer = setTimeout(reject, ms, error);
  });
  return Promise.race([starting, late]).finally(() => clearTimeout(timer));
}
