/** A model that is ready to run. */
import type { Artifact, Backend, Box, Input } from './common.js';
import type { ModelCard } from './model.js';
import type { Segmentation } from './result.js';
import type { MergeOptions, Suggestion, TuneCase, TuneOptions, TuneReport } from './tuning.js';
import type { FieldOfView, ImageVolume, Plan, VolumeInfo } from './volume.js';

export interface SegmenterOptions {
  /**
   * The name of a shipped model ('hippocampus'); the URL of a model folder or of its model.json; the bytes of its files by their names; or
   * the bytes of model.json and of each weight file in the order it lists them. What `saveModel` gave, by any name or as the last bytes, is
   * laid over the model beside it; alone, over the shipped model of its base's name.
   */
  model?: string | URL | Uint8Array[] | Record<string, Uint8Array>;
  /** 'auto' takes WebGPU where there is a real adapter and else the CPU; 'webgpu' throws where it cannot be had. */
  backend?: 'auto' | Backend;
  /** On the CPU, where threads can be had: how many, 1 to 256. By default one for each core, 16 at most; 1 for none. */
  threads?: number;
  /** On the CPU, `false` for sums as every browser computes them; by default products and sums are one step where it can. */
  relaxedSimd?: boolean;
  /** The folder that holds this package's wasm/ and models/, and all of it where the bundler did not ship its worker; by default what the bundler made of the package's own files. */
  assets?: string | URL;
  /** Run in a worker (the default), or in the calling thread, then without threads. */
  worker?: boolean;
  /** What the decoded voxels of an image may take, bytes; a larger image is refused as 'limit' before it is read. By default 2 GiB. */
  maxBytes?: number;
  /** Keep the model's files in the browser for the next visit, each under its hash (the default); `false` always fetches. */
  cache?: boolean;
  /** Fetch the files that only some images need with the others, so that no request is made later; else they come with the first such image. */
  prefetch?: boolean;
  /** Hears of 'load' (files of the model), 'start' and 'recover'. */
  onProgress?(progress: Progress): void;
}

export function createSegmenter(options?: SegmenterOptions): Promise<Segmenter>;

/**
 * Where the work stands. Of a segmenter that is being created: `load` (files of the model), `start` (the engine). Of a
 * run: `prepare` the image, `whole` (find the object), `patch` (segment in its box), `restore` (back to the file's grid).
 * `suggest`: slices to correct are looked for.
 * `recover`: the engine broke, and the same call is made again on a new one; `done` of `total` tries failed.
 */
export interface Progress {
  stage: 'load' | 'start' | 'prepare' | 'whole' | 'patch' | 'restore' | 'suggest' | 'recover';
  /** Share of this stage's work that is done, out of `total`. */
  done: number;
  total: number;
  /** With `recover`: what happened, in a sentence. */
  reason?: string;
  /** Where nothing new was heard for 5 s the last news is told again, with the milliseconds since it came. */
  silentMs?: number;
}

export interface RunOptions {
  /** Cancels within a second; the promise rejects with code 'cancelled'. */
  signal?: AbortSignal;
  /** Called often, and never less than every 10 s while the page is in front. */
  onProgress?(progress: Progress): void;
  /** Where to look, in voxels of the file, `end` exclusive: only the second network runs, in this box. Of a model of one object. */
  box?: Box;
  /**
   * Where to look for an object, by its name in `model.objects` ('object' where there is only one): it is segmented in this box, the others
   * are looked for. Where all of them have one, the first network does not run.
   */
  boxes?: { [object: string]: Box };
  /** Segments the objects of `boxes` and no others: classes and labels are theirs alone. */
  only?: boolean;
}

/**
 * A model on an engine. Calls wait for each other in the order they were made; segmenters do not wait for each other, and
 * each has a worker of its own. Where the engine breaks (a lost GPU, a dead worker), the call is made again on a new one, up
 * to three times and then, with `backend: 'auto'`, on the CPU: what was computed on a broken engine is never given out.
 */
export interface Segmenter {
  /** Where the next run happens. */
  readonly backend: Backend;
  /** The GPU's name, '' on the CPU. */
  readonly adapter: string;
  /** How many threads compute; 1 on the GPU. */
  readonly threads: number;
  readonly artifact: Artifact;
  /** Whether the CPU's products and sums are one step, as this browser and machine can: faster, and rounded once where it was twice. */
  readonly relaxedSimd: boolean;
  /** One sentence: why this engine. */
  readonly why: string;
  readonly model: ModelCard;
  /** Where the model came from: as given, from the network, or from the browser's own files. */
  readonly modelFrom: 'bytes' | 'network' | 'cache';
  /** What went wrong while the model was loaded and was got over, a sentence each. */
  readonly notes: string[];
  inspect(input: Input, options?: { signal?: AbortSignal }): Promise<VolumeInfo>;
  /** The image's field of view, and whether the model was trained on such. */
  fieldOfView(input: Input, options?: { signal?: AbortSignal }): Promise<FieldOfView>;
  /** The values of an image, for viewers that do not read its format. */
  read(input: Input, options?: { signal?: AbortSignal }): Promise<ImageVolume>;
  /** What `segment` will take, before any work; throws what `segment` would refuse. With `train` what training can take too. */
  plan(input: Input, options?: { signal?: AbortSignal; train?: boolean }): Promise<Plan>;
  segment(input: Input, options?: RunOptions): Promise<Segmentation>;
  /**
   * Learns from corrections. A part of what is annotated is held out, to test what was learned from the rest: the tuned weights
   * are taken only if they meet it better and the model's reference case does not suffer; otherwise, and where it is cancelled or
   * fails, the model stays as it is. Takes seconds to minutes.
   */
  tune(cases: TuneCase[], options?: TuneOptions): Promise<TuneReport>;
  /**
   * The mean of this model's tuned weights and a colleague's (`tuned`: a file of `saveModel` or `insitu tune`, of the same model),
   * judged on one's own corrections without a step of training: it takes the place of the model where the annotations that `tune`
   * would hold out, and the model's reference case, fall by no more than `maxFall`; otherwise the model stays as it is. A model that
   * is as it came has nothing to share: the colleague's weights are judged alone.
   */
  merge(tuned: Blob | ArrayBuffer | Uint8Array, cases: TuneCase[], options?: MergeOptions): Promise<TuneReport>;
  /**
   * Takes the weights of the last tuning as a variant of one's own, where its report says `verdict: 'variant'`: two images or more
   * gained clearly, and only the reference case fell, as where a lab draws an object otherwise than the model was taught. The
   * model's title, its card (`tuned.own_variant`) and the file of `saveModel` bear the name. Rejects as 'argument' otherwise.
   */
  keepVariant(name: string): Promise<void>;
  /** What the last tuning made and did not take, as a file like `saveModel`'s, to look at; a model of it says that it was refused. */
  saveRefused(): Promise<Uint8Array<ArrayBuffer>>;
  /** Slices of an image in which a correction would teach most: where the model does not agree with itself. */
  suggest(input: Input, options?: RunOptions & { slices?: number; axis?: 0 | 1 | 2 }): Promise<Suggestion>;
  /** Goes back by one accepted tuning; rejects as 'argument' where there is none. */
  revert(): Promise<void>;
  /** Whether there is a tuning to go back from. */
  readonly canRevert: boolean;
  /**
   * What was tuned, as a file (safetensors: the tuned tensors, the hashes of the model that they belong to, the report), to be
   * given as `model: [file]` or to `insitu segment --model FILE`. Rejects as 'argument' where nothing was tuned.
   */
  saveModel(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Ends the worker and frees the GPU. A run under way and those that wait reject: the first as 'cancelled', later calls as
   * 'argument'. May be called twice.
   */
  dispose(): void;
}
