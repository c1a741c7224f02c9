/**
 * The engine: the one file that uses the generated wasm (artifacts.js). It runs in the worker, or with `worker: false` in the
 * calling thread, and is the same code in both. Its methods take and give structured-cloneable values.
 */
/** @import { Bytes, CaseBytes, EngineCode, FileBytes, MergeSettings, ModuleName, OnStage, Session, TuneSettings } from './artifacts.js' */
/** @import { ChosenBoxes } from './boxes.js' */
/** @import { AnyProgress } from './heartbeat.js' */
/** @import { Backend, Triple } from './index.js' */
/** @import { Files } from './input.js' */
/** @import { Joining } from './threads.js' */
import { CODE } from './artifacts.js';
import { InsituError, isTrap } from './error.js';
import { watchGpu } from './gpu.js';
import { nameUnreadable, readable, withFiles } from './input.js';
import { startedInTime } from './recovery.js';
import { prepareThreads } from './threads.js';

/** @typedef {Files & { name: string, maxBytes?: number }} Image */
/** @typedef {(progress: AnyProgress) => void} OnProgress */

/** Bytes of a page of wasm memory, and what an engine that works must be able to get. */
const PAGE = 2 ** 16;
const LEAST_GROWTH = 2 ** 24;

/** Threads that do not start say nothing. */
const THREADS_MS = 20_000;

export class Engine {
  #gpu = watchGpu();
  #generation = 0;
  /** @type {EngineCode | undefined} */
  #code;
  /** @type {WebAssembly.Memory | undefined} */
  #memory;
  /** @type {Session | undefined} */
  #session;

  /**
   * How many threads run: those asked for, or, `measured`, as many of them as the machine runs at once.
   * @param {{ module: ModuleName, threads: number, measured?: boolean, wasm: WebAssembly.Module }} options
   */
  async load({ module, threads, measured = false, wasm }) {
    this.#generation = this.#gpu.faults;
    const code = (this.#code = CODE[module]);
    const { memory, __wasm_call_ctors: registerAll } = await code.default({ module_or_path: wasm });
    this.#memory = memory;
    registerAll?.(); // build.rs says why
    code.checkVectors();
    return { threads: code.initThreadPool ? await startThreads(code, { threads, measured }) : 1 };
  }

  /** `more`: weights that came later. @param {{ backend: Backend, card: Bytes, weights: [string, Bytes][], more: [string, Bytes][], delta?: Bytes }} options */
  async start({ backend, card, weights, more, delta }) {
    this.#session = await this.#guarded(async (code) => {
      const session = await code.Session.create(backend, card, weights, delta);
      for (const [name, bytes] of more) await session.add(name, bytes);
      return session;
    });
  }

  /** The weight files beyond those of the start that an image needs. @param {Image} image */
  async missing({ maxBytes, ...files }) {
    return this.#withSession((session) => withFiles(files, async (file, voxels) => session.missing(file, voxels, maxBytes)));
  }

  /** @param {{ name: string, bytes: Bytes }} file that was missing */
  async add({ name, bytes }) {
    return this.#withSession((session) => session.add(name, bytes));
  }

  /** Whether the GPU is still the one the session was made on: a device can be lost between two runs. @param {void} _ */
  async healthy(_) {
    return this.#gpu.faults === this.#generation;
  }

  /** The header and the range of values of an image's file, as `insitu info` gives them. @param {Image} image */
  async inspect({ maxBytes, ...files }) {
    return this.#guarded((code) => withFiles(files, async (file, voxels) => code.inspect(file, voxels, maxBytes)));
  }

  /** The field of view of an image's file, and whether the model was trained on such. @param {Image} image */
  async fieldOfView({ maxBytes, ...files }) {
    return this.#withSession((session) => withFiles(files, async (file, voxels) => session.fieldOfView(file, voxels, maxBytes)));
  }

  /** The values of an image's file, and where they lie. @param {Image} image */
  async read({ maxBytes, ...files }) {
    return this.#guarded((code) => withFiles(files, async (file, voxels) => code.read(file, voxels, maxBytes)));
  }

  /** What `segment` will take. @param {Image & { train: boolean }} image */
  async plan({ maxBytes, train, ...files }) {
    return this.#withSession((session) => withFiles(files, (file, voxels) => session.plan(file, voxels, maxBytes, train)));
  }

  /** @param {Image & { chosen?: ChosenBoxes }} image `chosen`: the boxes to look in @param {OnProgress} onProgress */
  async segment({ name, maxBytes, chosen, ...files }, onProgress) {
    const before = this.#gpu.submits;
    const raw = await this.#withSession((session) =>
      withFiles(files, (file, voxels) => session.segment(file, voxels, maxBytes, name, chosen, stagesTo(onProgress))),
    );
    return { ...raw, gpuSubmits: this.#gpu.submits - before, wasmBytes: this.#held };
  }

  /**
   * Tunes the model; its report, its card, and the file of tuned weights where they were accepted.
   * @param {{ cases: CaseBytes[], reference?: CaseBytes, settings: TuneSettings, maxBytes?: number }} options @param {OnProgress} onProgress
   */
  async tune({ cases, reference, settings, maxBytes }, onProgress) {
    return this.#learn(cases, (session, known) => session.tune(known, reference, settings, maxBytes, onProgress));
  }

  /**
   * Merges the model with tuned weights from elsewhere and judges the mean; the answer is as of `tune`.
   * @param {{ theirs: Bytes, cases: CaseBytes[], reference?: CaseBytes, settings: MergeSettings, maxBytes?: number }} options @param {OnProgress} onProgress
   */
  async merge({ theirs, cases, reference, settings, maxBytes }, onProgress) {
    return this.#learn(cases, (session, known) => session.merge(theirs, known, reference, settings, maxBytes, onProgress));
  }

  /**
   * Work on annotated cases, as this thread can read them, after which the model may be another.
   * @template {object} T @param {CaseBytes[]} cases @param {(session: Session, known: CaseBytes[]) => Promise<T>} work
   */
  async #learn(cases, work) {
    return this.#withSession(async (session) => {
      try {
        const value = await work(session, await Promise.all(cases.map(readableCase)));
        return { ...value, card: session.card(), wasmBytes: this.#held };
      } catch (thrown) {
        await nameUnreadable(
          thrown,
          cases.flatMap(({ file, voxels, labelFile, labelVoxels }) => [file, voxels, labelFile, labelVoxels]),
        );
        throw thrown;
      }
    });
  }

  /** Other tuned weights on the model as it came, or none; the card that it then has. @param {{ delta?: Bytes }} options */
  async setDelta({ delta }) {
    return this.#withSession(async (session) => {
      session.setDelta(delta);
      return { card: session.card() };
    });
  }

  /** Goes on with refused weights as a variant of one's own. @param {{ refused: Bytes, name: string }} options */
  async keepVariant({ refused, name }) {
    return this.#withSession(async (session) => ({ delta: session.keepVariant(refused, name), card: session.card() }));
  }

  /** Where an annotation would teach most. @param {Image & { count: number, axis?: number }} image @param {OnProgress} onProgress */
  async suggest({ maxBytes, count, axis, ...files }, onProgress) {
    return this.#withSession((session) =>
      withFiles(files, (file, voxels) => session.suggest(file, voxels, maxBytes, count, axis, stagesTo(onProgress))),
    );
  }

  /**
   * How fast a network with random weights runs; needs no session.
   * @param {{ backend: Backend, base: number, size: Triple, train: boolean, runs: number }} options
   */
  async benchmark({ backend, base, size: [x, y, z], train, runs }) {
    return this.#guarded((code) => code.benchmark(backend, base, x, y, z, train, runs));
  }

  /** Bytes of wasm memory. */
  get #held() {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  /** @template T @param {(session: Session) => Promise<T>} work @returns {Promise<T>} */
  #withSession(work) {
    return this.#guarded(async () => {
      if (!this.#session) throw new InsituError('internal', 'The engine was called before it was started.');
      return work(this.#session);
    });
  }

  /**
   * A trap in the middle of a promise of wasm is not its rejection but an error of the whole thread, so it is listened for.
   * @template T @param {(code: EngineCode) => Promise<T>} work @returns {Promise<T>}
   */
  async #guarded(work) {
    const code = this.#code;
    if (!code) throw new InsituError('internal', 'The engine was called before it was loaded.');
    /** @type {(event: ErrorEvent) => void} */
    let hear = () => {};
    /** @type {Promise<never>} */
    const trap = new Promise((_, reject) => {
      hear = (event) => {
        if (!isTrap(event.error)) return;
        event.preventDefault();
        reject(event.error);
      };
    });
    globalThis.addEventListener('error', hear);
    try {
      return await Promise.race([this.#gpu.guard(this.#generation, () => work(code)), trap]);
    } catch (thrown) {
      throw this.#memoryRefused(thrown) ?? thrown;
    } finally {
      globalThis.removeEventListener('error', hear);
    }
  }

  /** A module that was refused memory traps like one with a defect, but then its memory can grow no more. @param {unknown} thrown */
  #memoryRefused(thrown) {
    if (!isTrap(thrown)) return undefined;
    try {
      this.#memory?.grow(Math.ceil(Math.max(this.#held / 4, LEAST_GROWTH) / PAGE));
      return undefined;
    } catch {
      const sentence = `The engine needs more memory than this browser gives it: it holds ${Math.round(this.#held / 2 ** 20)} MiB and was refused more; close other tabs, or crop the image.`;
      return new InsituError('limit', sentence, { cause: thrown });
    }
  }
}

/** A case as this thread can read it. @param {CaseBytes} given @returns {Promise<CaseBytes>} */
async function readableCase({ file, voxels, labelFile, labelVoxels, ...others }) {
  const read = async (/** @type {FileBytes | undefined} */ one) => one && readable(one);
  return {
    ...others,
    file: await readable(file),
    voxels: await read(voxels),
    labelFile: await read(labelFile),
    labelVoxels: await read(labelVoxels),
  };
}

/** @param {OnProgress} onProgress @returns {OnStage} */
const stagesTo = (onProgress) => (stage, done, total) => onProgress({ stage, done, total });

/** @param {EngineCode} code @param {{ threads: number, measured: boolean }} options @returns {Promise<number>} how many run */
async function startThreads(code, { threads, measured }) {
  const begin = async () => {
    // Two are worth having wherever there are any.
    const count = measured && threads > 2 ? await prepareThreads(threads) : threads;
    await code.initThreadPool?.(count);
    return count;
  };
  // Who has waited for so long goes on with one thread.
  return startedInTime(begin(), threads, THREADS_MS);
}

/** Makes this worker one of another engine's threads. It says that it is ready, and then computes for the rest of its life. @param {NonNullable<Joining['thread']>} thread @param {() => void} onReady */
export async function joinThreads({ module, init, receiver }, onReady) {
  await CODE[module].default(init);
  onReady();
  CODE[module].wbg_rayon_start_worker?.(receiver);
}
