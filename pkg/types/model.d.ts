/** Models: what a card says. */
import type { Triple } from './common.js';

/** A model's description, model.json. */
export interface ModelCard {
  name: string;
  title: string;
  labels: { index: number; name: string; color: string }[];
  /** What the first network looks for, where that is more than one object; `labels` are those of the first, then of the second, and so on. */
  objects?: { name: string; [field: string]: unknown }[];
  /** What the first network measures beside them, such as 'intracranial'. */
  measured?: string[];
  /** Of each input channel, in words. */
  modalities: string[];
  intensity: { kind: 'mr' | 'ct'; [field: string]: unknown };
  /** The smallest and largest sides of the images it was trained on, to the right, front and head. */
  field_mm: { min: Triple; max: Triple };
  licence: string;
  intended_use: string;
  limits: string | string[];
  stages: { whole: ModelStage; patch: ModelStage };
  /** How whole scans are segmented, of a model of one object that takes them too: labels are those of the first object, then of the second. */
  scan?: {
    labels: { index: number; name: string; color: string }[];
    objects: { name: string; mirror?: boolean }[];
    /** From which agreement of its folds on an image of one object its mirror image is not looked at. */
    sure_agreement?: number;
    /** The fold of the patch stage that segments the objects of a whole scan; the first where nothing is said, and of a tuned model. */
    patch_fold?: number;
    measured?: string[];
    modalities: string[];
    field_mm: { min: Triple; max: Triple };
    whole: ModelStage;
    [field: string]: unknown;
  };
  /** Of a tuned model: what it was before; the name of a variant of one's own; whether it was refused, and is there to be looked at. */
  tuned?: { base: string; variant?: string; own_variant?: string; refused?: boolean; [field: string]: unknown };
  /** The case that tuning must not make worse. */
  reference?: { image: HashedFile; labels: HashedFile };
  [field: string]: unknown;
}

/** A network of the model. */
export interface ModelStage {
  architecture: { inputs: number; [field: string]: unknown };
  folds: HashedFile[];
}

/** A file beside model.json. */
export interface HashedFile {
  file: string;
  sha256: string;
  [field: string]: unknown;
}

/** The names of the models that come with this package. */
export const shippedModels: readonly string[];

/** The name of the model that tuned weights, as `saveModel` gives them, belong to; undefined where bytes are none. */
export function baseModelOf(bytes: Uint8Array): string | undefined;

/** The names of those of a model's files, by their names, that are tuned weights; the rest is the model itself. */
export function tunedAmong(files: Readonly<Record<string, Uint8Array>>): string[];
