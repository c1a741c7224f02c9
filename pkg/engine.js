/**
 * The engine: the one file that imports the generated wasm. It runs in the worker, or with `worker: false` in
 * the calling thread, and is the same code in both. Its methods take and give structured-cloneable values.
 */
import init, { Session, inspect } from './wasm/insitu_seg.js';
import { watchGpu } from './gpu.js';

/** Whether the module's constructors have run in this thread: once, and by us (build.rs says why). */
let registered = false;

export class Engine {
  #gpu;
  #generation;
  #session;

  /**
   * @param {{ wasm: WebAssembly.Module, backend: 'webgpu' | 'cpu', card: Uint8Array, weights: [string, Uint8Array][] }} options
   */
  async start({ wasm, backend, card, weights }) {
    this.#gpu = watchGpu();
    this.#generation = this.#gpu.faults;
    const { __wasm_call_ctors: registerAll } = await init({ module_or_path: wasm });
    if (!registered) registerAll();
    registered = true;
    this.#session = await this.#gpu.guard(this.#generation, () => Session.create(backend, card, weights));
  }

  /** Whether the GPU is still the one the session was made on: a device can be lost between two runs. */
  async healthy() {
    return this.#gpu.faults === this.#generation;
  }

  /** The header and the range of values of a NIfTI file, as `insitu info` gives them. */
  async inspect({ bytes, voxels, maxBytes }) {
    return inspect(bytes, voxels, maxBytes);
  }

  /**
   * @param {{ bytes: Uint8Array, voxels?: Uint8Array, name: string, maxBytes?: number }} input `voxels`: the .img of a pair
   * @param {(progress: { stage: string, done: number, total: number }) => void} onProgress
   */
  async segment({ bytes, voxels, name, maxBytes }, onProgress) {
    const before = this.#gpu.submits;
    const report = (stage, done, total) => onProgress({ stage, done, total });
    const raw = await this.#gpu.guard(this.#generation, () => this.#session.segment(bytes, voxels, maxBytes, name, report));
    return { ...raw, gpuSubmits: this.#gpu.submits - before };
  }
}
