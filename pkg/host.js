/** Where an engine runs: a worker, or the calling thread. */
/** @import { Engine } from './engine.js' */
/** @import { AnyProgress } from './heartbeat.js' */
/** @import { Answer, Args, CallName, Message } from './calls.js' */
import { callOn } from './calls.js';
import { asInsituError, InsituError, isTrap } from './error.js';
import { addRequests } from './requests.js';

/** @typedef {{ transfer?: Transferable[], onProgress?(progress: AnyProgress): void }} CallOptions */

/**
 * @typedef {object} Host
 * @property {boolean} alive until the end
 * @property {<Name extends CallName>(name: Name, args: Args<Name>, options?: CallOptions) => Promise<Answer<Name>>} call one call of the engine
 * @property {(error: Error) => void} end no answer any more: what is under way rejects with `error`
 */

/** @typedef {{ new (): Host, canWait: boolean }} HostKind `canWait`: one is worth having before it is needed */

/** A worker that cannot be loaded says so; one that has not named its lock by then was killed before it could hold it. */
const LOCK_MS = 20_000;

/** The engine in a worker of its own. Ending it frees everything at once, in the middle of a computation too. @implements {Host} */
export class WorkerHost {
  static canWait = true;
  alive = true;
  #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'insitu-seg' });
  /** @type {Map<number, { resolve(value: unknown): void, reject(error: Error): void, onProgress?(progress: AnyProgress): void }>} */
  #calls = new Map();
  #lastId = 0;
  #answered = false;
  #ended = new AbortController();
  #timer = setTimeout(() => this.end(died()), LOCK_MS);

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onmessageerror = () => this.end(new InsituError('internal', 'The worker sent a message that could not be read.'));
    this.#worker.onerror = (event) => this.end(this.#diagnose(event));
  }

  /** @template {CallName} Name @param {Name} name @param {Args<Name>} args @param {CallOptions} [options] @returns {Promise<Answer<Name>>} */
  call(name, args, { transfer = [], onProgress } = {}) {
    return new Promise((resolve, reject) => {
      if (!this.alive) return reject(died());
      const id = ++this.#lastId;
      this.#calls.set(id, { resolve: (value) => resolve(/** @type {Answer<Name>} */ (value)), reject, onProgress });
      this.#worker.postMessage({ id, call: name, args }, transfer);
    });
  }

  /** @param {Error} error */
  end(error) {
    this.alive = false;
    clearTimeout(this.#timer);
    this.#ended.abort();
    this.#worker.terminate();
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

  /** A worker that fails before its first word was never loaded; later it is the engine that died. @param {ErrorEvent} event */
  #diagnose({ message, filename }) {
    return this.#answered ? asInsituError(new Error(message || 'the worker died')) : notStarted(message, filename);
  }
}

const died = () => new InsituError('internal', 'The engine stopped unexpectedly: its worker died.');

/** @param {string} message @param {string} filename */
function notStarted(message, filename) {
  const found = message ? ` (${message})` : '';
  return new InsituError(
    'io',
    `The worker that belongs to ${filename || import.meta.url} could not be started${found}: serve all of the package from this origin.`,
  );
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
