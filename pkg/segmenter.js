/** @import { Answer, Args, CallName } from './calls.js' */
/** @import { AnyProgress } from './heartbeat.js' */
/** @import { Input, MergeOptions, RunOptions, Segmenter as Declared, TuneCase, TuneOptions } from './index.js' */
/** @import { Kept } from './input.js' */
/** @import { RawSegmentation } from './artifacts.js' */
/** @import { Report } from './supervisor.js' */
import { folder, loadWasm } from './assets.js';
import { chosenBoxes } from './boxes.js';
import { laterFiles } from './card.js';
import { volumesCsv } from './csv.js';
import { asInsituError, cancelled, InsituError, messageOf } from './error.js';
import { heartbeat } from './heartbeat.js';
import { ThreadHost, WorkerHost } from './host.js';
import { checkBudget, describeInput, imageOf, keepBytes, keepInput, readBlob } from './input.js';
import { loadModel } from './model.js';
import { reportOf } from './report.js';
import { startCount } from './requests.js';
import { Supervisor } from './supervisor.js';
import { chooseEngine, moduleOf } from './support.js';
import { trainerOf } from './trainer.js';
import { keepCases, lessonOf, Tuning } from './tuning.js';

/**
 * Loads a model and the engine, starts it on the best backend, and gives a segmenter that is ready to run.
 * @type {typeof import('./index.js').createSegmenter}
 */
export async function createSegmenter({
  model = 'hippocampus',
  backend = 'auto',
  threads,
  relaxedSimd,
  assets,
  worker = true,
  maxBytes,
  cache = true,
  prefetch = false,
  onProgress,
} = {}) {
  checkBudget(maxBytes);
  const base = folder(assets);
  const asked = { backend, threads, relaxedSimd, worker };
  const news = heartbeat({ onProgress: /** @type {(progress: AnyProgress) => void} */ (onProgress) });
  try {
    const choice = await chooseEngine(asked);
    const engine = loadWasm(moduleOf(choice), base).catch(() => {}); // fetched at the same time; `start` hears of a failure
    const onFile = (/** @type {number} */ done, /** @type {number} */ total) => news.report({ stage: 'load', done, total });
    const [files] = await Promise.all([loadModel(model, { assets: base, cache, prefetch, onFile }), engine]);
    const supervisor = new Supervisor({ choice, files, asked, base, Host: worker ? WorkerHost : ThreadHost });
    const segmenter = new Segmenter(supervisor, maxBytes);
    await segmenter.start(news.report);
    startCount();
    return segmenter;
  } finally {
    news.stop();
  }
}

/** One model on one engine, or on its replacements. Calls are queued. @implements {Declared} */
class Segmenter {
  #supervisor;
  #maxBytes;
  #tuning;
  #tail = Promise.resolve();

  /** @param {Supervisor} supervisor @param {number} [maxBytes] */
  constructor(supervisor, maxBytes) {
    this.#supervisor = supervisor;
    this.#maxBytes = maxBytes;
    this.#tuning = new Tuning(supervisor);
  }

  /** 'webgpu' or 'cpu': where the next run happens. */
  get backend() {
    return this.#supervisor.choice.backend;
  }

  /** The GPU's name, '' on the CPU. */
  get adapter() {
    return this.#supervisor.choice.adapter;
  }

  /** How many threads compute; 1 on the GPU. */
  get threads() {
    return this.#supervisor.choice.threads;
  }

  /** Which of the package's engines runs: 'gpu', 'cpu', or 'threads'. */
  get artifact() {
    return this.#supervisor.choice.artifact;
  }

  get relaxedSimd() {
    return this.#supervisor.choice.relaxedSimd;
  }

  /** One sentence: why this engine. */
  get why() {
    return this.#supervisor.choice.why;
  }

  /** The model card: name, title, labels with colours, licence, intended use, limits. */
  get model() {
    return this.#supervisor.files.card;
  }

  /** Where the model came from: 'bytes' as given, the 'network', or the browser's own files ('cache'). */
  get modelFrom() {
    return this.#supervisor.files.from;
  }

  /** What went wrong while the model was loaded and was got over, a sentence each. */
  get notes() {
    return this.#supervisor.files.notes;
  }

  /** @param {Report} report */
  async start(report) {
    report({ stage: 'start', done: 0, total: 1 });
    await this.#turn(undefined, async (stop) => {
      await this.#supervisor.start({ stop, report });
      const { delta } = this.#tuning;
      // The card of tuned weights is the engine's to write.
      if (delta) this.#tuning.began(await this.#call('setDelta', async () => ({ args: { delta } }), { stop }));
    });
    report({ stage: 'start', done: 1, total: 1 });
  }

  /** The header and the range of values of an image's file; throws what `segment` would throw on reading it. @param {Input} input @param {{ signal?: AbortSignal }} [options] */
  async inspect(input, { signal } = {}) {
    const kept = keepInput(input);
    return this.#turn(signal, (stop) => this.#callOn(kept, 'inspect', { stop }));
  }

  /** The image's field of view, and whether the model was trained on such. @param {Input} input @param {{ signal?: AbortSignal }} [options] */
  async fieldOfView(input, { signal } = {}) {
    const kept = keepInput(input);
    return this.#turn(signal, (stop) => this.#callOn(kept, 'fieldOfView', { stop }));
  }

  /** The values of an image's file, scaled, in its own order, and where they lie. @param {Input} input @param {{ signal?: AbortSignal }} [options] */
  async read(input, { signal } = {}) {
    const kept = keepInput(input);
    return this.#turn(signal, (stop) => this.#callOn(kept, 'read', { stop }));
  }

  /** What `segment` will take, before any work; with `train` what training can take too. @param {Input} input @param {{ signal?: AbortSignal, train?: boolean }} [options] */
  async plan(input, { signal, train = false } = {}) {
    const kept = keepInput(input);
    return this.#turn(signal, (stop) => this.#provide(kept, stop).then(() => this.#callOn(kept, 'plan', { stop, more: { train } })));
  }

  /**
   * Labels every voxel of an image, on the grid of its own file.
   * @param {Input} input @param {RunOptions} [options]
   */
  async segment(input, { signal, onProgress, ...where } = {}) {
    const chosen = chosenBoxes(where);
    const kept = keepInput(input);
    return this.#turn(signal, async (stop) => {
      const started = performance.now();
      await this.#provide(kept, stop);
      const raw = await this.#callOn(kept, 'segment', { stop, onProgress, more: { chosen } });
      const { nifti, nrrd, csv: _, measures: __, gpuSubmits, wasmBytes, ...result } = raw;
      const report = reportOf(this, raw, describeInput(kept), performance.now() - started);
      return { ...result, report, toNifti: () => nifti, toNrrd: () => nrrd, toCsv: () => volumesCsv(raw.classes, raw.intracranialMl) };
    });
  }

  /** Learns from corrections, and goes on with what it learned if it is no worse for it. @param {TuneCase[]} cases @param {TuneOptions} [options] */
  async tune(cases, { signal, onProgress, trainer = 'engine', ...settings } = {}) {
    const kept = keepCases(cases);
    return this.#turn(signal, async (stop) => {
      const make = async () => ({ args: { ...lessonOf(kept, this.#supervisor.files), settings, maxBytes: this.#maxBytes } });
      return this.#tuning.apply(await this.#call('tune', make, { stop, onProgress, of: trainerOf(trainer, this.#supervisor) }));
    });
  }

  /**
   * The mean with tuned weights of somebody else's, if it is no worse on these cases: the report says which, and why.
   * @param {Blob | ArrayBuffer | Uint8Array} tuned @param {TuneCase[]} cases @param {MergeOptions} [options]
   */
  async merge(tuned, cases, { signal, onProgress, ...settings } = {}) {
    const [file, kept] = [keepBytes(tuned), keepCases(cases)];
    return this.#turn(signal, async (stop) => {
      const theirs = await readBlob(file);
      const lesson = () => lessonOf(kept, this.#supervisor.files);
      const make = async () => ({ args: { theirs: theirs.slice(), ...lesson(), settings, maxBytes: this.#maxBytes } });
      return this.#tuning.apply(await this.#call('merge', make, { stop, onProgress }));
    });
  }

  /** Where a correction of this image would teach most. @param {Input} input @param {RunOptions & { slices?: number, axis?: 0 | 1 | 2 }} [options] */
  async suggest(input, { signal, onProgress, slices = 3, axis } = {}) {
    const kept = keepInput(input);
    return this.#turn(signal, (stop) => this.#callOn(kept, 'suggest', { stop, onProgress, more: { count: slices, axis } }));
  }

  /** Takes the weights that the last tuning offered as a variant of one's own, under a name. @param {string} name */
  async keepVariant(name) {
    return this.#turn(undefined, async (stop) => {
      const { refused } = this.#tuning;
      const make = async () => ({ args: { refused, name } });
      this.#tuning.kept(await this.#call('keepVariant', make, { stop }));
    });
  }

  /** What the last tuning made and did not take, as a file to look at. */
  async saveRefused() {
    return this.#tuning.refused.slice();
  }

  /** One tuning back. */
  async revert() {
    return this.#turn(undefined, async (stop) => {
      const delta = this.#tuning.before;
      const make = async () => ({ args: { delta } });
      this.#tuning.reverted(await this.#call('setDelta', make, { stop }));
    });
  }

  /** Whether `revert` has something to go back to. */
  get canRevert() {
    return this.#tuning.canRevert;
  }

  /** What was tuned, as a file: of `createSegmenter({ model: [file] })` and of `insitu segment --model FILE`. */
  async saveModel() {
    const { delta } = this.#tuning;
    if (!delta) throw new InsituError('argument', 'This model is as it came: there are no tuned weights to save.');
    return delta.slice();
  }

  /** Ends the worker and frees the GPU: a run under way rejects as cancelled, every later one as a wrong call. */
  dispose() {
    this.#supervisor.dispose();
  }

  /**
   * One call after the other; an abort takes a waiting call out of the queue and stops a running one.
   * @template T @param {AbortSignal | undefined} signal @param {(stop: AbortSignal) => Promise<T>} work @returns {Promise<T>}
   */
  #turn(signal, work) {
    return new Promise((resolve, reject) => {
      let running = false;
      const stop = new AbortController();
      const abort = () => {
        reject(cancelled());
        stop.abort();
        if (running) this.#supervisor.drop(cancelled());
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.#tail = this.#tail.then(async () => {
        if (signal?.aborted) return;
        running = true;
        try {
          resolve(await work(stop.signal));
        } catch (thrown) {
          reject(asInsituError(thrown));
        } finally {
          running = false;
          signal?.removeEventListener('abort', abort);
        }
      });
    });
  }

  /**
   * Gives the engine the weights that an image needs beyond those of the start. A whole scan cannot do without the network that
   * finds its objects; any image can without the second one that judges.
   * @param {Kept} kept @param {AbortSignal} stop
   */
  async #provide(kept, stop) {
    const { files } = this.#supervisor;
    // An image is read and handed over to ask what it needs: not where there is nothing left to come.
    const later = laterFiles(files.card);
    if (later.every(({ file }) => files.more.some(([name]) => name === file))) return;
    for (const name of await this.#callOn(kept, 'missing', { stop })) {
      const isOfScans = files.card.scan?.whole.folds.some(({ file }) => file === name);
      /** @param {unknown} error */
      const refused = (error) => {
        if (isOfScans) throw error;
        files.notes.push(`Masks and sides are not judged by a second network, as a file of the model is not there: ${messageOf(error)}`);
        return undefined;
      };
      const bytes = await files.another(name).catch(refused);
      if (!bytes) continue;
      await this.#call('add', async () => ({ args: { name, bytes } }), { stop });
      files.more.push([name, bytes]);
    }
  }

  /**
   * A call on an image, which the engine reads, again for every try.
   * @template {'inspect' | 'fieldOfView' | 'missing' | 'read' | 'plan' | 'segment' | 'suggest'} Name
   * @param {Kept} kept @param {Name} name
   * @param {{ stop: AbortSignal, onProgress?(progress: AnyProgress): void, more?: Omit<Args<Name>, keyof Args<'inspect'>> }} options
   * @returns {Promise<Answer<Name>>}
   */
  async #callOn(kept, name, { stop, onProgress, more }) {
    const args = /** @type {Args<Name>} */ (/** @type {unknown} */ ({ ...imageOf(kept), maxBytes: this.#maxBytes, ...more }));
    return this.#call(name, async () => ({ args }), { stop, onProgress });
  }

  /**
   * A call that says how far it is.
   * @template {CallName} Name
   * @param {Name} name @param {() => Promise<{ args: Args<Name>, transfer?: Transferable[] }>} make
   * @param {{ stop: AbortSignal, onProgress?(progress: AnyProgress): void, of?: Pick<Supervisor, 'call'> }} options @returns {Promise<Answer<Name>>}
   */
  async #call(name, make, { stop, onProgress, of = this.#supervisor }) {
    const news = heartbeat({ onProgress });
    try {
      return await of.call(name, make, { stop, report: news.report });
    } finally {
      news.stop();
    }
  }
}
