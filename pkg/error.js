/** @import { Check, ErrorCode, InsituError as Declared } from './index.js' */

/** Every error of this package: a stable `code`, and one sentence that says what was found and what to do. @implements {Declared} */
export class InsituError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message one sentence
   * @param {{ cause?: unknown, checks?: Check[] }} [options] `checks`: of a file that was refused
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = code === 'cancelled' ? 'AbortError' : 'InsituError';
    this.code = code;
    /** @type {Check[] | undefined} */
    this.checks = options?.checks;
  }
}

export const cancelled = () => new InsituError('cancelled', 'The run was cancelled.');

/** Whatever was thrown, by Rust, by wasm or by the browser, as an InsituError. @param {unknown} thrown */
export function asInsituError(thrown) {
  if (thrown instanceof InsituError) return thrown;
  const message = firstLine(messageOf(thrown));
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') {
    const { code, checks } = /** @type {{ code: ErrorCode, checks?: Check[] }} */ (/** @type {unknown} */ (thrown));
    return new InsituError(code, `${message}.`, { cause: thrown, checks });
  }
  return new InsituError('internal', `The engine stopped unexpectedly: ${message}.`, { cause: thrown });
}

/**
 * Whether wasm stopped in the middle of a call, itself or behind an error that says why: its memory is in any state.
 * @param {unknown} thrown
 */
export const isTrap = (thrown) => (thrown instanceof Error ? (thrown.cause ?? thrown) : thrown) instanceof WebAssembly.RuntimeError;

/** @param {unknown} thrown */
export const messageOf = (thrown) => (thrown instanceof Error ? thrown.message : String(thrown));

/** The first line of a message, without its full stop. @param {string} text */
export const firstLine = (text) => text.trim().split('\n', 1)[0].replace(/\.$/, '');
