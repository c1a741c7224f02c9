/** Errors, and the checks of a file's header. */

/**
 * - `malformed`: the file is not what it says it is
 * - `argument`: the call is wrong
 * - `limit`: larger than this engine takes
 * - `unsupported`: a correct file or browser that this version does not handle
 * - `device`: the GPU failed, was lost, or is missing
 * - `io`: an asset or file could not be read, or not be kept in the browser
 * - `cancelled`: aborted by the caller (the error's name is then 'AbortError')
 * - `internal`: the engine stopped; a defect of this package
 */
export type ErrorCode = 'malformed' | 'argument' | 'limit' | 'unsupported' | 'device' | 'io' | 'cancelled' | 'internal';

export class InsituError extends Error {
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; checks?: Check[] });
  readonly code: ErrorCode;
  /** Of a file that was refused: what its header holds, field by field; empty or missing where it has no header. */
  readonly checks?: Check[];
}

/** One field of a file's header, judged. */
export interface Check {
  field: string;
  severity: 'ok' | 'warning' | 'error';
  words: string;
}
