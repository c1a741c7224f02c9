/** Every error of this package: a stable `code`, and one sentence that says what was found and what to do. */
export class InsituError extends Error {
  /**
   * @param {import('./index.d.ts').ErrorCode} code
   * @param {string} message one sentence
   * @param {{ cause?: unknown, checks?: import('./index.d.ts').Check[] }} [options] `checks`: of a file that was refused
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = code === 'cancelled' ? 'AbortError' : 'InsituError';
    this.code = code;
    if (options?.checks) this.checks = options.checks;
  }
}

export const cancelled = () => new InsituError('cancelled', 'The run was cancelled.');

/** Whatever was thrown, by Rust, by wasm or by the browser, as an InsituError. */
export function asInsituError(thrown) {
  if (thrown instanceof InsituError) return thrown;
  const message = firstLine(thrown?.message ?? String(thrown));
  if (typeof thrown?.code === 'string') return new InsituError(thrown.code, `${message}.`, { cause: thrown, checks: thrown.checks });
  return new InsituError('internal', `The engine stopped unexpectedly: ${message}.`, { cause: thrown });
}

/** Whether wasm stopped in the middle of a call, itself or behind an error that says why: its memory is in any state. */
export const isTrap = (thrown) => (thrown?.cause ?? thrown) instanceof WebAssembly.RuntimeError;

/** The first line of a message, without its full stop. */
export const firstLine = (text) => text.trim().split('\n', 1)[0].replace(/\.$/, '');
