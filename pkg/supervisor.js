/**
 * Keeps an engine running: starts it, replaces one that was cancelled or broke, and makes the call that broke it again,
 * first on a new engine of the same kind, then on the next kind. Where engines are workers, one waits with its code
 * loaded, so that a replacement needs no network.
 */
/** @import { AnyProgress } from './heartbeat.js' */
/** @import { Answer, Args, CallName } from './calls.js' */
/** @import { Host, HostKind } from './host.js' */
/** @import { ModuleName } from './artifacts.js' */
/** @import { Model } from './model.js' */
/** @import { Asked, Choice } from './support.js' */
import { loadWasm } from './assets.js';
import { asInsituError, cancelled, InsituError } from './error.js';
import { isSilence } from './host.js';
import { isBroken, pause, pausesAfter, startedInTime } from './recovery.js';
import { chooseInstead, moduleOf, withThreads } from './support.js';

/** @typedef {(progress: AnyProgress) => void} Report */

/**
 * Longer than the engine itself waits for its threads: a worker that makes others may be held up by the browser for ever, and its own
 * clock with it (Firefox on a busy machine), so the page looks at the clock too.
 */
const THREADS_MS = 30_000;

export class Supervisor {
  #parts;
  /** @type {Host | null} */
  #host = null;
  /** @type {Host | null} */
  #waiting = null;
  #refilled = Promise.resolve();
  #disposed = new AbortController();
  /** Whether the number of threads is known. */
  #measured = false;
  /** Whether a worker said nothing for as long as one is waited for. */
  #wasSilent = false;

  /** `module`: of wasm, where it is not the one that the choice comes to. @param {{ choice: Choice, files: Model, asked: Asked, base?: URL, Host: HostKind, module?: ModuleName }} parts */
  constructor({ choice, files, ...parts }) {
    /** The engine that runs, or runs next, and why. */
    this.choice = choice;
    /** The model that an engine starts with. */
    this.files = files;
    this.#parts = parts;
  }

  /** Brings the engine up. A start that fails is tried once more: what is broken for good is not waited for. @param {{ stop: AbortSignal, report: Report }} options */
  async start(options) {
    await this.#persist(async () => {}, { ...options, most: 1 });
    await this.#refilled;
  }

  /**
   * One call of the engine. `make` gives { args, transfer }, anew for every try, as what is handed over is gone.
   * @template {CallName} Name
   * @param {Name} name @param {() => Promise<{ args: Args<Name>, transfer?: Transferable[] }>} make
   * @param {{ stop: AbortSignal, report?: Report }} options @returns {Promise<Answer<Name>>}
   */
  call(name, make, { stop, report = () => {} }) {
    return this.#persist(
      async (host) => {
        const { args, transfer } = await make();
        return host.call(name, args, { transfer, onProgress: report });
      },
      { stop, report },
    );
  }

  /**
   * One that keeps an engine of another module on the same GPU, with the same model, until either is disposed; no other kind of
   * engine stands in for it.
   * @param {ModuleName} module
   */
  beside(module) {
    const { asked, ...parts } = this.#parts;
    const { backend, why } = this.choice;
    if (backend !== 'webgpu') throw new InsituError('unsupported', `The module '${module}' needs WebGPU, and this engine has none: ${why}`);
    if (!parts.Host.canWait) throw new InsituError('unsupported', `The module '${module}' needs a worker: leave out \`worker: false\`.`);
    const other = new Supervisor({ choice: this.choice, files: this.files, ...parts, asked: { ...asked, backend }, module });
    this.#disposed.signal.addEventListener('abort', () => other.dispose(), { once: true, signal: other.#disposed.signal });
    return other;
  }

  /** Ends the running engine; what is under way rejects with `error`. @param {Error} error */
  drop(error) {
    this.#host?.end(error);
    this.#host = null;
  }

  dispose() {
    this.#disposed.abort();
    this.drop(cancelled());
    this.#waiting?.end(cancelled());
    this.#waiting = null;
  }

  /** @template T @param {(host: Host) => Promise<T>} work @param {{ stop: AbortSignal, report: Report, most?: number }} options @returns {Promise<T>} */
  async #persist(work, { stop, report, most = Infinity }) {
    for (let tries = 0; ; ) {
      let host = null;
      try {
        host = await this.#engine();
        if (stop.aborted) throw cancelled();
        return await work(host);
      } catch (thrown) {
        const error = asInsituError(thrown);
        // Of an engine that broke nothing is trusted any more. One that started and then refuses has answered.
        if (isBroken(error)) this.drop(error);
        if (stop.aborted || this.#disposed.signal.aborted || error.code === 'cancelled' || (host && !isBroken(error))) throw error;
        tries = await this.#prepareNextTry(error, tries, { stop, report, most });
      }
    }
  }

  /**
   * Waits, or goes over to the next kind of engine; the number of tries so far on it. Throws where there is no other.
   * @param {InsituError} error @param {number} tries @param {{ stop: AbortSignal, report: Report, most: number }} options
   */
  async #prepareNextTry(error, tries, { stop, report, most }) {
    const pauses = pausesAfter(error).slice(0, most);
    if (tries < pauses.length) {
      report({ stage: 'recover', done: tries, total: pauses.length, reason: error.message });
      await pause(pauses[tries], stop, this.#disposed.signal);
      if (stop.aborted || this.#disposed.signal.aborted) throw cancelled();
      return tries + 1;
    }
    const next = chooseInstead(this.choice, error, this.#parts.asked);
    if (!next) throw error;
    this.choice = next;
    report({ stage: 'recover', done: pauses.length, total: pauses.length, reason: next.why });
    return 0;
  }

  /** The running engine, or a new one. */
  async #engine() {
    if (this.#disposed.signal.aborted) throw new InsituError('argument', 'This segmenter was disposed: create a new one.');
    if (this.#host?.alive && (await this.#host.call('healthy', undefined).catch(() => false))) return this.#host;
    this.drop(cancelled());
    const { backend, threads } = this.choice;
    const module = this.#parts.module ?? moduleOf(this.choice);
    const wasm = await loadWasm(module, this.#parts.base);
    if (this.#disposed.signal.aborted) throw cancelled();
    const host = (this.#host = this.#acquireHost());
    this.#refilled = this.#refill();
    try {
      const measured = !this.#measured && this.#parts.asked.threads === undefined;
      const loading = host.call('load', { module, threads, measured, wasm });
      const found = await (this.choice.artifact === 'threads' ? startedInTime(loading, threads, THREADS_MS) : loading);
      this.#measured = true;
      this.choice = withThreads(this.choice, found.threads);
      const { bytes: card, weights, more, delta } = this.files;
      await host.call('start', { backend, card, weights, more, delta });
    } catch (error) {
      this.#wasSilent ||= isSilence(error);
      if (this.#host === host) this.drop(asInsituError(error));
      throw error;
    }
    return host;
  }

  /** The worker that waits, or else a new one. @returns {Host} */
  #acquireHost() {
    const waiting = this.#waiting;
    if (!waiting?.alive) return new this.#parts.Host(this.#parts.base, { isLastTry: this.#wasSilent });
    this.#waiting = null;
    return waiting;
  }

  /** Sees to it that a worker waits, with the code of every engine; without one, a replacement needs the network. */
  async #refill() {
    const { Host, base, module } = this.#parts;
    if (module || !Host.canWait || this.#disposed.signal.aborted || this.#waiting?.alive) return;
    const host = new Host(base);
    this.#waiting = host;
    await host.call('healthy', undefined).catch((error) => host.end(asInsituError(error)));
  }
}
