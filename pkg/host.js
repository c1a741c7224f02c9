/** Where an engine runs: a worker, or the calling thread. */
/** @import { Engine } from './engine.js' */
/** @import { AnyProgress } from './heartbeat.js' */
/** @import { Answer, Args, CallName, Message } from './calls.js' */
import { callOn } from './calls.js';
import { asInsituError, InsituError, isTrap, messageOf } from './error.js';
import { addRequests } from './requests.js';

/** @typedef {{ transfer?: Transferable[], onProgress?(progress: AnyProgress): void }} CallOptions */

/**
 * @typedef {object} Host
 * @property {boolean} alive until the end
 * @property {<Name extends CallName>(name: Name, args: Args<Name>, options?: CallOptions) => Promise<Answer<Name>>} call one call of the engine
 * @property {(error: Error) => void} end no answer any more: what is under way rejects with `error`
 */

/**
 * @typedef {{ new (assets?: URL, options?: { isLastTry?: boolean }): Host, canWait: boolean }} HostKind `canWait`: one is worth having
 *   before it is needed; `isLastTry`: the one before said nothing
 */

/** A worker that cannot be loaded says so; one that has not named its lock by then was killed before it could hold it, or never comes. */
const LOCK_MS = 20_000;
/** Who has waited for that long does not wait as long again. */
const LAST_TRY_MS = 5_000;

/**
 * The engine in a worker of its own. Ending it frees everything at once, in the middle of a computation too. Where the build
 * around this package has no worker, the one that lies in `assets` is started.
 * @implements {Host}
 */
export class WorkerHost {
  static canWait = true;
  alive = true;
  /** @type {Worker | undefined} */
  #worker;
  /** `name`, `args`: of a call that another worker could be given. @type {Map<number, { name?: CallName, args?: unknown, resolve(value: unknown): void, reject(error: Error): void, onProgress?(progress: AnyProgress): void }>} */
  #calls = new Map();
  #lastId = 0;
  #answered = false;
  #ended = new AbortController();
  #timer;

  /** @param {URL} [assets] @param {{ isLastTry?: boolean }} [options] */
  constructor(assets, { isLastTry = false } = {}) {
    this.#timer = setTimeout(() => this.end(silent()), isLastTry ? LAST_TRY_MS : LOCK_MS);
    /** @type {(() => Worker)[]} */
    const kinds = [() => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'insitu-seg' })];
    if (assets) kinds.push(() => new Worker(new URL('worker.js', assets), { type: 'module', name: 'insitu-seg' }));
    this.#start(kinds);
  }

  /** The first of these workers that can be started; those that come later are given the calls of those before. @param {(() => Worker)[]} kinds */
  #start([make, ...others]) {
    const fail = (/** @type {InsituError} */ error) => (others.length > 0 ? this.#start(others) : this.end(error));
    this.#worker?.terminate();
    try {
      this.#worker = make();
    } catch (thrown) {
      // Not within the constructor: whoever calls hears of it.
      return void queueMicrotask(() => fail(notStarted(messageOf(thrown), '')));
    }
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onmessageerror = () => this.end(new InsituError('internal', 'The worker sent a message that could not be read.'));
    this.#worker.onerror = (event) => {
      const { message, filename } = event;
      // A worker that fails before its first word was never loaded; later it is the engine that died.
      if (this.#answered) return this.end(asInsituError(new Error(message || 'the worker died')));
      fail(notStarted(message, filename));
    };
    for (const [id, { name, args }] of this.#calls) this.#worker.postMessage({ id, call: name, args });
  }

  /** @template {CallName} Name @param {Name} name @param {Args<Name>} args @param {CallOptions} [options] @returns {Promise<Answer<Name>>} */
  call(name, args, { transfer = [], onProgress } = {}) {
    return new Promise((resolve, reject) => {
      if (!this.alive) return reject(died());
      const id = ++this.#lastId;
      // Calls before its first answer carry nothing that is handed over, and can be made again.
      const again = this.#answered ? {} : { name, args };
      this.#calls.set(id, { ...again, resolve: (value) => resolve(/** @type {Answer<Name>} */ (value)), reject, onProgress });
      this.#worker?.postMessage({ id, call: name, args }, transfer);
    });
  }

  /** @param {Error} error */
  end(error) {
    this.alive = false;
    clearTimeout(this.#timer);
    this.#ended.abort();
    this.#worker?.terminate();
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  /** @param {Message} message */
  #receive({ id, progress, value, error, lock, requests }) {
    this.#answered = true;
    if (lock !== undefined) clearTimeout(this.#timer);
    if (lock) this.#watch(lock);
    if (requests) addRequests(requests);
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (id === undefined || !call) return;
    if (progress) return void call.onProgress?.(progress);
    this.#calls.delete(id);
    if (!error) return void call.resolve(value);
    const refusal = new InsituError(error.code, error.message, { checks: error.checks });
    call.reject(refusal);
    if (error.isFatal) this.end(refusal);
  }

  /** The worker's lock comes to us when it dies, however it does. @param {string} lock */
  #watch(lock) {
    navigator.locks.request(lock, { signal: this.#ended.signal }, () => this.end(died())).catch(() => {});
  }
}

const died = () => new InsituError('internal', 'The engine stopped unexpectedly: its worker died.');

const silent = () => Object.assign(new InsituError('internal', 'The engine did not start: its worker said nothing.'), { silent: true });

/** Whether a worker ended because it had never said a word. @param {unknown} error */
export const isSilence = (error) => error instanceof InsituError && 'silent' in error;

/** @param {string} message @param {string} filename of a script of it, where the browser says so */
function notStarted(message, filename) {
  const found = [filename, message].filter(Boolean).join(': ');
  const sentence = `The worker of insitu-seg could not be started${found ? ` (${found})` : ''}: serve all of the package from this origin, or set \`assets\` to where it is served.`;
  return new InsituError('io', sentence);
}

/**
 * The engine in the calling thread (`worker: false`). It cannot be stopped in the middle of a computation: an
 * ended call rejects at once, its computation runs to its end unheard, and the next call waits for that. A thread has
 * one module of each kind for its life: after a trap, which leaves its memory in any state, it is not used again.
 * @implements {Host}
 */
export class ThreadHost {
  alive = true;
  static canWait = false;
  /** @type {Promise<unknown>} */
  static #busy = Promise.resolve();
  static #trapped = false;
  /** @type {Promise<Engine> | undefined} */
  #engine;
  /** @type {Set<(error: Error) => void>} */
  #rejects = new Set();

  /** @template {CallName} Name @param {Name} name @param {Args<Name>} args @param {CallOptions} [options] @returns {Promise<Answer<Name>>} */
  async call(name, args, { onProgress = () => {} } = {}) {
    /** @type {(error: Error) => void} */
    let stop = () => {};
    /** @type {Promise<never>} */
    const ended = new Promise((_, reject) => this.#rejects.add((stop = reject)));
    const work = ThreadHost.#busy.then(async () => {
      if (ThreadHost.#trapped) throw trappedBefore();
      this.#engine ??= import('./engine.js').then(({ Engine }) => new Engine());
      return callOn(await this.#engine, name, args, onProgress);
    });
    ThreadHost.#busy = work.catch(() => {});
    try {
      return await Promise.race([work, ended]);
    } catch (thrown) {
      if (isTrap(thrown)) ThreadHost.#trapped = true;
      throw asInsituError(thrown);
    } finally {
      this.#rejects.delete(stop);
    }
  }

  /** @param {Error} error */
  end(error) {
    this.alive = false;
    for (const reject of this.#rejects) reject(error);
  }
}

const trappedBefore = () =>
  new InsituError(
    'internal',
    'The engine of this thread stopped unexpectedly before: load the page again, or let the engine run in a worker.',
  );
