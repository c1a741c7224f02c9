/** Calls of an engine by their name, and the messages that carry them between a worker and its host. */
/** @import { Engine } from './engine.js' */
/** @import { AnyProgress } from './heartbeat.js' */
/** @import { Check, ErrorCode } from './index.js' */

/** @typedef {keyof Engine} CallName */
/** @template {CallName} Name @typedef {Parameters<Engine[Name]>[0]} Args */
/** @template {CallName} Name @typedef {Engine[Name] extends (...args: never[]) => Promise<infer Value> ? Value : never} Answer */

/** @typedef {{ code: ErrorCode, message: string, checks?: Check[], isFatal: boolean }} Refusal */

/** What a worker says. @typedef {{ id?: number, progress?: AnyProgress, value?: unknown, error?: Refusal, lock?: string | null, requests?: import('./requests.js').Request[], joins?: true, refused?: string }} Message */

/**
 * A call by its name.
 * @template {CallName} Name
 * @param {Engine} engine @param {Name} name @param {Args<Name>} args @param {(progress: AnyProgress) => void} onProgress
 */
export function callOn(engine, name, args, onProgress) {
  const method = /** @type {(args: Args<Name>, onProgress: (progress: AnyProgress) => void) => Promise<Answer<Name>>} */ (engine[name]);
  return method.call(engine, args, onProgress);
}
