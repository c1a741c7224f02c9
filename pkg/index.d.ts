/**
 * 3-D medical image segmentation that stays in the browser tab. Not a medical device; not for diagnosis.
 *
 * Axes: volumes are [x, y, z] with x fastest, as in the file. Lengths are millimetres, volumes millilitres.
 * World coordinates are RAS+: x to the patient's right, y to the front, z to the head.
 *
 * @module
 */

export type Backend = 'webgpu' | 'cpu';
/** The engine's three forms: WebGPU; the CPU on one thread; the CPU on several, in a cross-origin isolated page. */
export type Artifact = 'gpu' | 'cpu' | 'threads';
export type Triple = [x: number, y: number, z: number];
/** Four rows; voxel index (i, j, k, 1) -> millimetres. */
export type Affine = [number, number, number, number][];

/** A file, plain or gzipped. */
export type Bytes = File | Blob | ArrayBuffer | ArrayBufferView;
/** A NIfTI-1 or NIfTI-2 image, in one file or in a pair of header and voxels. */
export type Input = Bytes | { hdr: Bytes; img: Bytes };

/**
 * - `malformed`: the file is not what it says it is
 * - `argument`: the call is wrong
 * - `limit`: larger than this engine takes
 * - `unsupported`: a correct file or browser that this version does not handle
 * - `device`: the GPU failed, was lost, or is missing
 * - `io`: an asset or file could not be read, or not be kept in the browser
 * - `cancelled`: aborted by the caller (the error's name is then 'AbortError')
 * - `internal`: the engine stopped; a defect of this package
 */
export type ErrorCode = 'malformed' | 'argument' | 'limit' | 'unsupported' | 'device' | 'io' | 'cancelled' | 'internal';

export class InsituError extends Error {
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; checks?: Check[] });
  readonly code: ErrorCode;
  /** Of a file that was refused: what its header holds, field by field; empty or missing where it has no header. */
  readonly checks?: Check[];
}

export interface Support {
  webgpu: boolean;
  /** `software`: an emulation on the CPU such as SwiftShader. */
  adapter: { vendor: string; architecture: string; device: string; description: string; software: boolean } | null;
  /** The adapter's WebGPU limits, {} without an adapter. */
  limits: Record<string, number>;
  /** Whether the CPU would run on several threads: it has cores, and the page is cross-origin isolated. */
  threads: boolean;
  /** WebAssembly SIMD, which the engine needs. */
  simd: boolean;
  recommended: Backend;
  /** In words, for people. */
  reasons: string[];
}

export function checkSupport(): Promise<Support>;

export interface ModelCard {
  name: string;
  title: string;
  labels: { index: number; name: string; color: string }[];
  modalities: unknown;
  licence: string;
  intended_use: string;
  limits: string | string[];
  [field: string]: unknown;
}

export interface SegmenterOptions {
  /** The name of a shipped model ('hippocampus'), the URL of a model folder or of its model.json, or the bytes of model.json and of each weight file in the order it lists them. As the last or the only bytes: what `saveModel` gave; alone, its model is loaded by its name. */
  model?: string | URL | Uint8Array[];
  /** 'auto' takes WebGPU where there is a real adapter and else the CPU; 'webgpu' throws where it cannot be had. */
  backend?: 'auto' | Backend;
  /** On the CPU, where threads can be had: how many, 1 to 256. By default one for each core, 16 at most; 1 for none. */
  threads?: number;
  /** The folder that holds this package's wasm/ and models/; by default beside the package's own modules. */
  assets?: string | URL;
  /** Run in a worker (the default), or in the calling thread, then without threads. */
  worker?: boolean;
  /** What the decoded voxels of an image may take, bytes; a larger image is refused as 'limit' before it is read. By default 2 GiB. */
  maxBytes?: number;
  /** Keep the model's files in the browser for the next visit, each under its hash (the default); `false` always fetches. */
  cache?: boolean;
  /** Hears of 'load' (files of the model), 'start' and 'recover'. */
  onProgress?(progress: Progress): void;
}

export function createSegmenter(options?: SegmenterOptions): Promise<Segmenter>;

/**
 * Where the work stands. Of a segmenter that is being created: `load` (files of the model), `start` (the engine). Of a
 * run: `prepare` the image, `whole` (find the object), `patch` (segment in its box), `restore` (back to the file's grid).
 * `recover`: the engine broke, and the same call is made again on a new one; `done` of `total` tries failed.
 */
export interface Progress {
  stage: 'load' | 'start' | 'prepare' | 'whole' | 'patch' | 'restore' | 'recover';
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
  /** Where to look, in voxels of the file, `end` exclusive: only the second network runs, in this box. */
  box?: { start: Triple; end: Triple };
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
  /** One sentence: why this engine. */
  readonly why: string;
  readonly model: ModelCard;
  /** Where the model came from: as given, from the network, or from the browser's own files. */
  readonly modelFrom: 'bytes' | 'network' | 'cache';
  /** What went wrong while the model was loaded and was got over, a sentence each. */
  readonly notes: string[];
  inspect(input: Input, options?: { signal?: AbortSignal }): Promise<VolumeInfo>;
  /** The values of an image, for viewers that do not read NIfTI. */
  read(input: Input, options?: { signal?: AbortSignal }): Promise<ImageVolume>;
  /** What `segment` will take, before any work; throws what `segment` would refuse. With `train` what training can take too. */
  plan(input: Input, options?: { signal?: AbortSignal; train?: boolean }): Promise<Plan>;
  segment(input: Input, options?: RunOptions): Promise<Segmentation>;
  /**
   * Learns from corrections. Part of what is annotated teaches, the rest judges: the tuned weights are taken only if they
   * judge better and the model's reference case does not suffer; otherwise, and where it is cancelled or fails, the model
   * stays as it is. Takes seconds to minutes.
   */
  tune(cases: TuneCase[], options?: TuneOptions): Promise<TuneReport>;
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

/** An image, and what somebody says of it. */
export interface TuneCase {
  image: Input;
  /** One label per voxel of the file, as `segmentation.labels`, 255 where nothing is annotated; or a NIfTI file of such labels. */
  labels: Uint8Array | Input;
  /** Beside labels per voxel: 0 where nothing is annotated, whatever the label there. */
  annotated?: Uint8Array;
  /** For messages; by default the file's name. */
  name?: string;
}

export interface TuneProgress extends Omit<Progress, 'stage'> {
  /** `before` and `after`: the figures; `whole` and `patch`: steps of the network that finds and the one that segments. */
  stage: Progress['stage'] | 'before' | 'after';
  step?: number;
  /** At most: it may end early. */
  secondsLeft?: number | null;
  /** Of the last step. */
  loss?: number | null;
  /** Dice on the voxels that judge, when last looked at. */
  check?: number | null;
}

export interface TuneOptions {
  /** Cancels within a second; the promise rejects with code 'cancelled', and the model is as it was. */
  signal?: AbortSignal;
  onProgress?(progress: TuneProgress): void;
  /** Train for so many minutes at most; 5 where neither minutes nor steps are given. */
  minutes?: number;
  /** Train for so many steps at most. */
  steps?: number;
  /** What learns: 'decoder' by default, 'all' where the images are unlike those that the model knows. */
  scope?: 'head' | 'decoder' | 'all';
  seed?: number;
  /** Largest learning rate. */
  rate?: number;
  /** Weight of what nobody annotated, where the old masks are to be kept. */
  keep?: number;
  /** What the Dice on the voxels that judge must gain at least; 0.005 by default. */
  minGain?: number;
  /** What the Dice of the reference case may fall at most; 0.02 by default. */
  maxFall?: number;
  /** The least agreement of the annotations with the old masks, of images that the model knows. */
  minAgreement?: number;
}

/** A figure with the old weights and with the tuned ones, as their file holds them. */
export interface Change {
  before: number;
  after: number;
}

export interface TuneReport {
  accepted: boolean;
  /** Why or why not, with the numbers, in words. */
  reason: string;
  /** Mean Dice on the voxels that judge. */
  check: Change | null;
  labels: { name: string; dice: Change | null }[];
  /** Mean Dice of the model's reference case. */
  reference: Change | null;
  /** Share of the cases' voxels whose label is another. */
  changed: number;
  /** Dice of the old masks with the same masks as the annotations correct them. */
  agreement: number;
  /** Whether all images are such as the model was trained on. */
  inside: boolean;
  /** By image, how it is unlike those. */
  outside: string[];
  teaching: string[];
  judging: string[];
  stages: ('whole' | 'patch')[];
  scope: 'head' | 'decoder' | 'all';
  /** Whether it began with the contrast turned round. */
  turned: boolean;
  steps: number;
  seconds: number;
  /** First and last. */
  loss: [number, number] | null;
  taken_back: number;
  seed: number;
  keep: number;
  bounds: [gain: number, fall: number];
  model: string;
  notice: string;
}

export interface Suggestion {
  /** The first says most. In voxels of the file; `end` is one past the last. */
  slices: { axis: 0 | 1 | 2; index: number; start: Triple; end: Triple; share: number }[];
  /** One value per voxel of the file, x fastest: 0 where the model agrees with itself, 255 where it does least. */
  map: Uint8Array<ArrayBuffer>;
}

/** An image as numbers. */
export interface ImageVolume {
  dims: Triple;
  spacing: Triple;
  affine: Affine;
  /** The axis codes of the voxel axes, such as 'LPS'. */
  orientation: string;
  /** Volumes in the file, one after the other in `values`. */
  channels: number;
  /** One value per voxel of the file, scaled as its header says, x fastest. */
  values: Float32Array<ArrayBuffer>;
}

/**
 * How many requests the page and this package's workers have made since the first segmenter was ready, as the browser's
 * resource timing tells: 0 where segmenting and saving need no network. Of other workers, frames and tabs it knows nothing.
 */
export function requestsSinceLoad(): number;

export interface Plan {
  backend: Backend;
  /** The device in words. */
  adapter: string;
  /** Maps, weights and scratch of a network at the worst moment. */
  peakBytes: number;
  /** An estimate, from two short runs on this machine; less where the object's box is smaller than the image. */
  seconds: number;
  /** The image as the first network sees it. */
  dims: Triple;
  /** With `train`: the largest patch on which the second network can learn within 1.5 GB, and the bytes of a step on it. */
  training?: { patch: Triple; peakBytes: number };
  /** How the image is unlike those that the model was trained on. */
  warnings: string[];
}

export interface BenchmarkOptions {
  /** Channels of the network's first level, 1 to 256. */
  base: number;
  /** Voxels, each side 8 to 1024. */
  size: Triple;
  /** A training step as well: forward, loss, all gradients, AdamW. */
  train?: boolean;
  /** As for `createSegmenter`; but an engine that cannot start is an error, not a reason to take another. */
  backend?: 'auto' | Backend;
  threads?: number;
  /** Passes that count, 5 by default; one goes before that does not. */
  runs?: number;
  assets?: string | URL;
}

export interface Benchmark {
  /** Milliseconds of a forward pass, the median. */
  forwardMs: number;
  /** Milliseconds of a training step, the median; with `train`. */
  trainMs?: number;
  /** Its maps, gradients and all that is kept of the weights, at the worst moment. */
  trainPeakBytes?: number;
  /** Billions of additions and multiplications per second. */
  gflops: number;
  /** Maps, weights and scratch at the worst moment. */
  peakBytes: number;
  backend: Backend;
  /** The device in words. */
  adapter: string;
  threads: number;
}

/** How fast a network with random weights runs here. Calls do not wait for each other: measure one at a time. */
export function benchmark(options: BenchmarkOptions): Promise<Benchmark>;

/** One field of a file's header, judged. */
export interface Check {
  field: string;
  severity: 'ok' | 'warning' | 'error';
  words: string;
}

export interface VolumeInfo {
  /** The shape as the file declares it: two entries for a slice, three for a volume, four with channels. */
  dims: number[];
  /** Values per voxel: 1 for a volume. `segment` takes as many as the model has input channels. */
  channels: number;
  format: 'NIfTI-1' | 'NIfTI-2';
  /** Whether header and voxels are two files. */
  pair: boolean;
  /** Of the spacing as the file declares it, such as 'mm'. */
  units: string;
  spacing_mm: number[];
  /** The axis codes of the file's voxel axes, such as 'RAS' or 'LPI'. */
  orientation: string;
  datatype: string;
  affine: Affine;
  sform_code: number;
  qform_code: number;
  slope: number;
  inter: number;
  min: number;
  max: number;
  mean: number;
  /** Voxels that are NaN or infinite. */
  nonfinite: number;
  /** The words of the checks that warn. */
  warnings: string[];
  checks: Check[];
}

export interface LabelClass {
  index: number;
  name: string;
  /** '#rrggbb' */
  color: string;
  voxels: number;
  milliliters: number;
}

export interface RunReport {
  artifact: Artifact;
  backend: Backend;
  adapter: string;
  threads: number;
  why: string;
  /** Calls of GPUQueue.submit during this run; 0 on the CPU. */
  gpuSubmits: number;
  /** The engine's memory after this run, without the GPU's; it never shrinks, and the next run uses it again. */
  wasmBytes: number;
  model: { name: string; title: string; licence: string };
  input: { name: string; bytes: number; dims: Triple; spacing: Triple };
  /** The axis codes of the file's voxel axes, such as 'LPS'. */
  orientation: string;
  /** The same in words: which side of the patient each axis runs to. */
  sides: string;
  /** Of the mask as .nii.gz. */
  output: { bytes: number };
  box: { start: Triple; end: Triple };
  timings: { stage: string; ms: number }[];
  /** Wall time of the run, milliseconds. */
  ms: number;
}

export interface Segmentation {
  /** One label per voxel of the file, x fastest. */
  labels: Uint8Array<ArrayBuffer>;
  dims: Triple;
  spacing: Triple;
  affine: Affine;
  /** The axis codes of the voxel axes, such as 'LPS'. */
  orientation: string;
  classes: LabelClass[];
  /** The region of interest that the second stage looked at, in voxels of the file; `end` is exclusive. */
  box: { start: Triple; end: Triple };
  warnings: string[];
  timings: { stage: string; ms: number }[];
  report: RunReport;
  /** The mask as .nii.gz, on the grid of the input. */
  toNifti(): Uint8Array<ArrayBuffer>;
  /** The mask as .seg.nrrd for 3D Slicer, with the names and colours of its labels. */
  toNrrd(): Uint8Array<ArrayBuffer>;
  /** Volumes per label. */
  toCsv(): string;
}
