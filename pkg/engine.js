/**
 * The engine: the one file that imports the generated wasm. It runs in the worker, or with `worker: false` in
 * the calling thread, and is the same code in both. Its methods take and give structured-cloneable values.
 */
import { InsituError, firstLine, isTrap } from './error.js';
import { watchGpu } from './gpu.js';

/** The code of each artifact; only what runs is fetched. */
const CODE = {
  gpu: () => import('./wasm/gpu/insitu_seg.js'),
  cpu: () => import('./wasm/cpu/insitu_seg.js'),
  threads: () => import('./wasm/threads/insitu_seg.js'),
};

/** Bytes of a page of wasm memory, and what an engine that works must be able to get. */
const PAGE = 2 ** 16;
const LEAST_GROWTH = 2 ** 24;

/** Threads that do not start say nothing. */
const THREADS_MS = 20_000;

export class Engine {
  #gpu;
  #generation;
  #code;
  #memory;
  #session;

  /** Fetches the code of an engine and does not start it: a worker in waiting needs no network when its turn comes. */
  async fetch({ artifact }) {
    try {
      return void (this.#code = await CODE[artifact]());
    } catch (cause) {
      throw new InsituError(
        'io',
        `The code of the engine could not be loaded (${firstLine(cause.message)}): serve all of the package from this origin.`,
        { cause },
      );
    }
  }

  /** @param {{ artifact: import('./index.d.ts').Artifact, threads: number, wasm: WebAssembly.Module }} options */
  async load({ artifact, threads, wasm }) {
    this.#gpu = watchGpu();
    this.#generation = this.#gpu.faults;
    await this.fetch({ artifact });
    ({ memory: this.#memory } = await this.#code.default({ module_or_path: wasm }));
    if (artifact === 'threads') await startThreads(this.#code, threads);
  }

  /** @param {{ backend: 'webgpu' | 'cpu', card: Uint8Array, weights: [string, Uint8Array][], tuned?: Uint8Array }} options */
  async start({ backend, card, weights, tuned }) {
    this.#session = await this.#guarded(() => this.#code.Session.create(backend, card, weights, tuned));
  }

  /** Whether the GPU is still the one the session was made on: a device can be lost between two runs. */
  async healthy() {
    return this.#gpu.faults === this.#generation;
  }

  /** The header and the range of values of a NIfTI file, as `insitu info` gives them. */
  async inspect({ bytes, voxels, maxBytes }) {
    return this.#guarded(async () => this.#code.inspect(bytes, voxels, maxBytes));
  }

  /** The values of a NIfTI file, and where they lie. */
  async read({ bytes, voxels, maxBytes }) {
    return this.#guarded(async () => this.#code.read(bytes, voxels, maxBytes));
  }

  /** What `segment` will take. */
  async plan({ bytes, voxels, maxBytes, train }) {
    return this.#guarded(() => this.#session.plan(bytes, voxels, maxBytes, train));
  }

  /**
   * @param {{ bytes: Uint8Array, voxels?: Uint8Array, name: string, maxBytes?: number, bounds?: Uint32Array }} input `voxels`: the .img
   *   of a pair; `bounds`: the box to look in, its start and its end
   * @param {(progress: { stage: string, done: number, total: number }) => void} onProgress
   */
  async segment({ bytes, voxels, name, maxBytes, bounds }, onProgress) {
    const before = this.#gpu.submits;
    const report = (stage, done, total) => onProgress({ stage, done, total });
    const raw = await this.#guarded(() => this.#session.segment(bytes, voxels, maxBytes, name, bounds, report));
    return { ...raw, gpuSubmits: this.#gpu.submits - before, wasmBytes: this.#memory.buffer.byteLength };
  }

  /** Tunes the model; its report, its card, and the file of tuned weights where they were accepted. */
  async tune({ cases, reference, settings, maxBytes }, onProgress) {
    const value = await this.#guarded(() => this.#session.tune(cases, reference, settings, maxBytes, onProgress));
    return { ...value, card: this.#session.card(), wasmBytes: this.#memory.buffer.byteLength };
  }

  /** Other tuned weights on the model as it came, or none; the card that it then has. */
  async put({ tuned }) {
    await this.#guarded(async () => this.#session.put(tuned));
    return { card: this.#session.card() };
  }

  /** Where an annotation would teach most. */
  async suggest({ bytes, voxels, maxBytes, count, axis }, onProgress) {
    const report = (stage, done, total) => onProgress({ stage, done, total });
    return this.#guarded(() => this.#session.suggest(bytes, voxels, maxBytes, count, axis, report));
  }

  /** How fast a network with random weights runs; needs no session. */
  async benchmark({ backend, base, size, train, runs }) {
    return this.#guarded(() => this.#code.benchmark(backend, base, ...size, train, runs));
  }

  /** A trap in the middle of a promise of wasm is not its rejection but an error of the whole thread, so it is listened for. */
  async #guarded(work) {
    let hear;
    const trap = new Promise((_, reject) => {
      hear = (event) => {
        if (!isTrap(event.error)) return;
        event.preventDefault();
        reject(event.error);
      };
    });
    globalThis.addEventListener('error', hear);
    try {
      return await Promise.race([this.#gpu.guard(this.#generation, work), trap]);
    } catch (thrown) {
      throw this.#memoryRefused(thrown) ?? thrown;
    } finally {
      globalThis.removeEventListener('error', hear);
    }
  }

  /** A module that was refused memory traps like one with a defect, but then its memory can grow no more. */
  #memoryRefused(thrown) {
    if (!isTrap(thrown)) return undefined;
    const held = this.#memory.buffer.byteLength;
    try {
      this.#memory.grow(Math.ceil(Math.max(held / 4, LEAST_GROWTH) / PAGE));
      return undefined;
    } catch {
      const sentence = `The engine needs more memory than this browser gives it: it holds ${Math.round(held / 2 ** 20)} MiB and was refused more; close other tabs, or crop the image.`;
      return new InsituError('limit', sentence, { cause: thrown });
    }
  }
}

async function startThreads(code, count) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = new InsituError('internal', `The engine's ${count} threads did not start within ${THREADS_MS / 1000} s.`);
    timer = setTimeout(reject, THREADS_MS, error);
  });
  await Promise.race([code.initThreadPool(count), late]).finally(() => clearTimeout(timer));
}
