/**
 * Where an engine runs. Both hosts have the same two verbs:
 *   call(name, args, { transfer, onProgress })  one call of the engine, answered by a promise
 *   end(error)                                  no answer any more: what is under way rejects with `error`
 * and `alive` until the end. One that `canWait` is worth having before it is needed.
 */
import { InsituError, asInsituError, isTrap } from './error.js';
import { addRequests } from './requests.js';

/** One that cannot be loaded says so; one that does not tell its lock in time was killed before it could hold it. */
const LOCK_MS = 20_000;

/** The engine in a worker of its own. Ending it frees everything at once, in the middle of a computation too. */
export class WorkerHost {
  static canWait = true;
  alive = true;
  #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'insitu-seg' });
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

  call(name, args, { transfer = [], onProgress } = {}) {
    return new Promise((resolve, reject) => {
      if (!this.alive) return reject(died());
      const id = ++this.#lastId;
      this.#calls.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, call: name, args }, transfer);
    });
  }

  end(error) {
    this.alive = false;
    clearTimeout(this.#timer);
    this.#ended.abort();
    this.#worker.terminate();
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  #receive({ id, progress, value, error, lock, requests }) {
    this.#answered = true;
    if (lock !== undefined) clearTimeout(this.#timer);
    if (lock) this.#watch(lock);
    if (requests) addRequests(requests);
    const call = this.#calls.get(id);
    if (!call) return;
    if (progress) return void call.onProgress?.(progress);
    this.#calls.delete(id);
    if (!error) return void call.resolve(value);
    const refusal = new InsituError(error.code, error.message, { checks: error.checks });
    call.reject(refusal);
    if (error.isFatal) this.end(refusal);
  }

  /** The worker's lock comes to us when it dies, however it does. */
  #watch(lock) {
    navigator.locks.request(lock, { signal: this.#ended.signal }, () => this.end(died())).catch(() => {});
  }

  /** A worker that fails before its first word was never loaded; later it is the engine that died. */
  #diagnose({ message, filename }) {
    return this.#answered ? asInsituError(new Error(message || 'the worker died')) : notStarted(message, filename);
  }
}

const died = () => new InsituError('internal', 'The engine stopped unexpectedly: its worker died.');

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
 */
export class ThreadHost {
  alive = true;
  static canWait = false;
  static #busy = Promise.resolve();
  static #trapped = false;
  #engine;
  #rejects = new Set();

  async call(name, args, { onProgress = () => {} } = {}) {
    let stop;
    const ended = new Promise((_, reject) => this.#rejects.add((stop = reject)));
    const work = ThreadHost.#busy.then(async () => {
      if (ThreadHost.#trapped) throw trappedBefore();
      this.#engine ??= import('./engine.js').then(({ Engine }) => new Engine());
      return (await this.#engine)[name](args, onProgress);
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
