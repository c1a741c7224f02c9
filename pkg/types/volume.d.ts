/** Images: what a file says of itself, its values, and what a run on it will take. */
import type { Affine, Backend, Triple } from './common.js';
import type { Check } from './errors.js';

export interface VolumeInfo {
  /** The shape as the file declares it: two entries for a slice, three for a volume, four with channels. */
  dims: number[];
  /** Values per voxel: 1 for a volume. `segment` takes as many as the model has input channels. */
  channels: number;
  /** 'MGH' is FreeSurfer's .mgz or .mgh: its `sform_code` is 1 where the file says how the image lies, else 0; its `qform_code` 0. */
  format: 'NIfTI-1' | 'NIfTI-2' | 'MGH';
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

/** The field of view of an image. */
export interface FieldOfView {
  /** Its sides to the right, front and head. */
  mm: Triple;
  /** Whether the model was trained on such. */
  fits: boolean;
}

export interface Plan {
  backend: Backend;
  /** The device in words. */
  adapter: string;
  /** Maps, weights and scratch of a network at the worst moment. */
  peakBytes: number;
  /** An estimate, from two short runs on this machine: of all passes over an image that is read once; where its side is unclear it is read twice. */
  seconds: number;
  /** The image as the first network sees it. */
  dims: Triple;
  /** With `train`: the largest patch on which the second network can learn within 1.5 GB, and the bytes of a step on it. */
  training?: { patch: Triple; peakBytes: number };
  /** How the image is unlike those that the model was trained on. */
  warnings: string[];
}
