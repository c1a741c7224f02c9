/** Learning from corrections. */
import type { Input, Triple } from './common.js';
import type { Progress } from './segmenter.js';

/** An image, and what somebody says of it. */
export interface TuneCase {
  image: Input;
  /** One label per voxel of the file, as `segmentation.labels`, 255 where nothing is annotated; or a NIfTI or MGH file of such labels. */
  labels: Uint8Array | Input;
  /** Beside labels per voxel: 0 where nothing is annotated, whatever the label there. */
  annotated?: Uint8Array;
  /** For messages; by default the file's name. */
  name?: string;
}

export interface TuneProgress extends Omit<Progress, 'stage'> {
  /**
   * `before` and `after`: the figures; `whole` and `patch`: steps of the network that finds and the one that segments; `load`: the
   * module of another trainer than the engine is fetched and started.
   */
  stage: 'load' | 'before' | 'whole' | 'patch' | 'after' | 'recover';
  step?: number;
  /** At most: it may end early. */
  secondsLeft?: number | null;
  /** Of the last step: what is missing of a Dice of 1, plus the cross-entropy; 0 is the least. */
  loss?: number | null;
  /** Dice on the annotations that were held out, when last looked at. */
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
  /** What the Dice on the annotations that were held out must gain at least; 0.005 by default. */
  minGain?: number;
  /** What the Dice of the reference case may fall at most; 0.02 by default. */
  maxFall?: number;
  /** The least agreement of the annotations with the old masks, of images that the model knows. */
  minAgreement?: number;
  /**
   * Who learns: the `engine` itself by default, or on WebGPU, in a worker, `burn` (burn.dev): its autodiff and its optimiser, with the
   * engine's kernels, in a module of its own that is fetched at the first such tuning. Rejects with code 'unsupported' on the CPU,
   * with `worker: false`, and where the module is not part of the build.
   */
  trainer?: 'engine' | 'burn';
}

export interface MergeOptions {
  /** Cancels within a second; the promise rejects with code 'cancelled', and the model is as it was. */
  signal?: AbortSignal;
  onProgress?(progress: TuneProgress): void;
  /** Of the mean, the share of the other weights: above 0, and 1 at most; 0.5 by default. */
  share?: number;
  /** What the Dice on the annotations held out, and that of the reference case, may fall at most; 0.02 by default. */
  maxFall?: number;
}

/** A figure with the old weights and with the tuned ones, as their file holds them. */
export interface Change {
  before: number;
  after: number;
}

export interface TuneReport {
  accepted: boolean;
  /** `variant`: refused, and offered to be kept as a variant of one's own (`keepVariant`). */
  verdict: 'accepted' | 'variant' | 'refused';
  /**
   * Which rule decided: `better`: none refuses; `own-convention`: one's own images gain and the reference case falls; `no-gain`;
   * `small-gain`: it may be chance; `poor-fit`: the held-out annotations are still met badly; `reference-falls`; `annotations`: they
   * do not belong to the images; `own-falls`: merged weights meet one's own annotations worse.
   */
  cause: 'better' | 'own-convention' | 'no-gain' | 'small-gain' | 'poor-fit' | 'reference-falls' | 'annotations' | 'own-falls';
  /** Why or why not, with the numbers, in words. */
  reason: string;
  /** Mean Dice on the annotations that were held out. */
  check: Change | null;
  labels: { name: string; dice: Change | null }[];
  /** The same by image, of those that hold any. */
  cases: { name: string; dice: Change }[];
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
  /** Images whose annotations teach. */
  teaching: string[];
  /** Images of whose annotations some were held out. */
  judging: string[];
  stages: ('whole' | 'patch')[];
  scope: 'head' | 'decoder' | 'all';
  /** Whether it began with the contrast turned round. */
  turned: boolean;
  steps: number;
  seconds: number;
  /** First and last: what is missing of a Dice of 1, plus the cross-entropy; 0 is the least. */
  loss: [number, number] | null;
  /** Steps that were undone because their loss was not finite. */
  undoneSteps: number;
  seed: number;
  keep: number;
  bounds: [gain: number, fall: number];
  /** Of `merge`: how many files came together, and the share of each, one's own first. */
  merged?: { deltas: number; shares: number[] };
  model: string;
  notice: string;
}

export interface Suggestion {
  /** The first says most. In voxels of the file; `end` is one past the last. */
  slices: { axis: 0 | 1 | 2; index: number; start: Triple; end: Triple; share: number }[];
  /** One value per voxel of the file, x fastest: 0 where the model agrees with itself, 255 where it does least. */
  map: Uint8Array<ArrayBuffer>;
}
