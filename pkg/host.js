/**
 * Where an engine runs. Both hosts have the same two verbs:
 *   call(name, args, { transfer, onProgress })  one call of the engine, answered by a promise
 *   end(error)                                  no answer any more: what is under way rejects with `error`
 * and `alive` until the end.
 */
import { InsituError, asInsituError } from './error.js';

/** The engine in a worker of its own. Ending it frees everything at once, in the middle of a computation too. */
export class WorkerHost {
  alive = true;
  #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'insitu-seg' });
  #calls = new Map();
  #lastId = 0;
  #answered = false;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onmessageerror = () => this.end(new InsituError('internal', 'The worker sent a message that could not be read.'));
    this.#worker.onerror = (event) => this.end(this.#diagnose(event));
  }

  call(name, args, { transfer = [], onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#calls.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, call: name, args }, transfer);
    });
  }

  end(error) {
    this.alive = false;
    this.#worker.terminate();
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  #receive({ id, progress, value, error }) {
    this.#answered = true;
    const call = this.#calls.get(id);
    if (!call) return;
    if (progress) return void call.onProgress?.(progress);
    this.#calls.delete(id);
    if (error) call.reject(new InsituError(error.code, error.message, { checks: error.checks }));
    else call.resolve(value);
  }

  /** A worker that fails before its first answer was never loaded; later it is the engine that died. */
  #diagnose({ message, filename }) {
    if (this.#answered) return asInsituError(new Error(message || 'the worker died'));
    const found = message ? ` (${message})` : '';
    return new InsituError('io', `The worker that belongs to ${filename || import.meta.url} could not be started${found}: serve all of the package from this origin.`);
  }
}

/**
 * The engine in the calling thread (`worker: false`). It cannot be stopped in the middle of a computation: an
 * ended call rejects at once, its computation runs to its end unheard, and the next call waits for that.
 */
export class ThreadHost {
  alive = true;
  static #busy = Promise.resolve();
  #engine;
  #rejects = new Set();

  async call(name, args, { onProgress = () => {} } = {}) {
    let stop;
    const ended = new Promise((_, reject) => this.#rejects.add((stop = reject)));
    const work = ThreadHost.#busy.then(async () => {
      this.#engine ??= import('./engine.js').then(({ Engine }) => new Engine());
      return (await this.#engine)[name](args, onProgress);
    });
    ThreadHost.#busy = work.catch(() => {});
    try {
      return await Promise.race([work, ended]);
    } catch (thrown) {
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
