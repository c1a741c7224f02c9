/** Models: what a card says. */
import type { Triple } from './common.js';

/** A model's description, model.json. */
export interface ModelCard {
  name: string;
  title: string;
  labels: { index: number; name: string; color: string }[];
  /** Of each input channel, in words. */
  modalities: string[];
  intensity: { kind: 'mr' | 'ct'; [field: string]: unknown };
  /** The smallest and largest sides of the images it was trained on, to the right, front and head. */
  field_mm: { min: Triple; max: Triple };
  licence: string;
  intended_use: string;
  limits: string | string[];
  stages: { whole: ModelStage; patch: ModelStage };
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
