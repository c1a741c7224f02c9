import { folder, loadModel, loadWasm } from './assets.js';
import { InsituError, asInsituError, cancelled } from './error.js';
import { ThreadHost, WorkerHost } from './host.js';
import { readInput } from './input.js';
import { reportOf } from './report.js';
import { chooseEngine, chooseInstead } from './support.js';

/**
 * Loads a model and the engine, starts it on the best backend, and gives a segmenter that is ready to run.
 * @param {import('./index.d.ts').SegmenterOptions} [options]
 */
export async function createSegmenter({ model = 'hippocampus', backend = 'auto', threads, assets, worker = true, maxBytes } = {}) {
  checkBudget(maxBytes);
  const base = folder(assets);
  const asked = { backend, threads, worker };
  const choice = await chooseEngine(asked);
  const engine = loadWasm(choice.artifact, base).catch(() => {}); // fetched at the same time; `start` hears of a failure
  const [files] = await Promise.all([loadModel(model, base), engine]);
  const segmenter = new Segmenter({ base, files, maxBytes, asked, choice, Host: worker ? WorkerHost : ThreadHost });
  await segmenter.start();
  return segmenter;
}

/** Left out, the engine's own default holds. */
function checkBudget(maxBytes) {
  if (maxBytes === undefined || (Number.isFinite(maxBytes) && maxBytes > 0)) return;
  throw new InsituError('argument', `maxBytes must be a positive number of bytes, found ${typeof maxBytes === 'number' ? maxBytes : typeof maxBytes}.`);
}

/** A box as the engine takes it: six whole numbers. Whether it lies within the image the engine says. */
function boundsOf({ start, end } = {}) {
  const numbers = [...(start ?? []), ...(end ?? [])];
  if (numbers.length === 6 && numbers.every((n) => Number.isInteger(n) && n >= 0)) return Uint32Array.from(numbers);
  throw new InsituError('argument', `box must be { start: [x, y, z], end: [x, y, z] } in whole voxels of the file, found ${JSON.stringify({ start, end })}.`);
}

/** One model on one engine. Calls are queued; a cancelled or failed engine is replaced at the next call. */
class Segmenter {
  #parts;
  #choice;
  #host = null;
  #disposed = false;
  #tail = Promise.resolve();

  constructor({ choice, ...parts }) {
    this.#parts = parts;
    this.#choice = choice;
  }

  /** 'webgpu' or 'cpu': where the next run happens. */
  get backend() {
    return this.#choice.backend;
  }

  /** The GPU's name, '' on the CPU. */
  get adapter() {
    return this.#choice.adapter;
  }

  /** How many threads compute; 1 on the GPU. */
  get threads() {
    return this.#choice.threads;
  }

  /** Which of the package's engines runs: 'gpu', 'cpu', or 'threads'. */
  get artifact() {
    return this.#choice.artifact;
  }

  /** One sentence: why this engine. */
  get why() {
    return this.#choice.why;
  }

  /** The model card: name, title, labels with colours, licence, intended use, limits. */
  get model() {
    return this.#parts.files.card;
  }

  start() {
    return this.#turn(undefined, () => this.#engine());
  }

  /** The header and the range of values of a NIfTI file; throws what `segment` would throw on reading it. */
  async inspect(input, { signal } = {}) {
    const image = await readInput(input);
    return this.#turn(signal, () => this.#callOn(image, 'inspect'));
  }

  /** What `segment` will take, before any work; with `train` what training can take too. */
  async plan(input, { signal, train = false } = {}) {
    const image = await readInput(input);
    return this.#turn(signal, () => this.#callOn({ ...image, train }, 'plan'));
  }

  /**
   * Labels every voxel of a NIfTI image, on the grid of its own file.
   * @param {import('./index.d.ts').Input} input
   * @param {import('./index.d.ts').RunOptions} [options]
   */
  async segment(input, { signal, onProgress, box } = {}) {
    const bounds = box && boundsOf(box);
    const image = await readInput(input);
    const given = { name: image.name, bytes: image.bytes.byteLength + (image.voxels?.byteLength ?? 0) };
    return this.#turn(signal, async () => {
      const started = performance.now();
      const raw = await this.#callOn({ ...image, bounds }, 'segment', onProgress);
      const { nifti, nrrd, csv, gpuSubmits, wasmBytes, ...result } = raw;
      const report = reportOf(this, raw, given, performance.now() - started);
      return { ...result, report, toNifti: () => nifti, toNrrd: () => nrrd, toCsv: () => csv };
    });
  }

  /** Ends the worker and frees the GPU: a run under way rejects as cancelled, every later one as a wrong call. */
  dispose() {
    this.#disposed = true;
    this.#drop(cancelled());
  }

  /** One call after the other; an abort takes a waiting call out of the queue and stops a running one. */
  #turn(signal, work) {
    return new Promise((resolve, reject) => {
      let running = false;
      const abort = () => {
        reject(cancelled());
        if (running) this.#drop(cancelled());
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.#tail = this.#tail.then(async () => {
        if (signal?.aborted) return;
        running = true;
        try {
          resolve(await work());
        } catch (thrown) {
          reject(asInsituError(thrown));
        } finally {
          running = false;
          signal?.removeEventListener('abort', abort);
        }
      });
    });
  }

  /** A call on an image, whose buffers go with it. */
  #callOn(image, name, onProgress) {
    const transfer = [image.bytes, image.voxels].filter(Boolean).map(({ buffer }) => buffer);
    return this.#call(name, { ...image, maxBytes: this.#parts.maxBytes }, { transfer, onProgress });
  }

  async #call(name, args, options) {
    const host = await this.#engine();
    try {
      return await host.call(name, args, options);
    } catch (error) {
      // After a GPU error or a trap the engine's memory is not to be trusted.
      if (['device', 'internal'].includes(error.code)) this.#drop(error);
      throw error;
    }
  }

  #drop(error) {
    this.#host?.end(error);
    this.#host = null;
  }

  /** The running engine, or a new one; where its kind cannot start, one of the next kind that `asked` allows. */
  async #engine() {
    if (this.#disposed) throw new InsituError('argument', 'This segmenter was disposed: create a new one.');
    if (this.#host?.alive && (await this.#host.call('healthy'))) return this.#host;
    this.#drop(cancelled());
    for (;;) {
      try {
        return await this.#spawn();
      } catch (thrown) {
        const error = asInsituError(thrown);
        const next = chooseInstead(this.#choice, error, this.#parts.asked);
        if (error.code === 'cancelled' || !next) throw error;
        this.#choice = next;
      }
    }
  }

  async #spawn() {
    const { Host, base, files } = this.#parts;
    const { artifact, backend, threads } = this.#choice;
    const wasm = await loadWasm(artifact, base);
    if (this.#disposed) throw cancelled();
    const host = new Host();
    this.#host = host;
    try {
      await host.call('load', { artifact, threads, wasm });
      await host.call('start', { backend, card: files.bytes, weights: files.weights });
      return host;
    } catch (error) {
      if (this.#host === host) this.#drop(error);
      throw error;
    }
  }
}
