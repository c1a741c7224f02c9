/** What a run gives. */
import type { Affine, Artifact, Backend, Box, ObjectBox, Triple } from './common.js';

/** What a stage of a run took. */
export interface Timing {
  stage: 'prepare' | 'whole' | 'patch' | 'restore';
  ms: number;
}

/** A stage by the browser's own clock, whose developer tools show it as `insitu-seg read` and so on. No time lies between two stages. */
export interface Measure {
  /** `read` the file, the stages of `timings`, `write` the mask's files. */
  name: 'read' | Timing['stage'] | 'write';
  /** Milliseconds since the engine began. */
  start: number;
  ms: number;
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
  /** Whether products and sums were one step on the CPU. */
  relaxedSimd: boolean;
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
  box: Box;
  boxes: ObjectBox[];
  intracranial_ml?: number;
  /** As in the result: where the mask is in doubt, and what of the image is unlike those of training. */
  warnings: string[];
  timings: Timing[];
  /** The same and what lies before and after them. */
  measures: Measure[];
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
  /** The region of interest that the second stage looked at, in voxels of the file; `end` is exclusive. Of several objects the first. */
  box: Box;
  /** The box of every object that was found; `warnings` name those that were not. */
  boxes: ObjectBox[];
  /** All that is inside the skull, cerebrospinal fluid included, in mL: where the model measures it and its first network ran. */
  intracranialMl?: number;
  warnings: string[];
  timings: Timing[];
  report: RunReport;
  /** The mask as .nii.gz, on the grid of the input. */
  toNifti(): Uint8Array<ArrayBuffer>;
  /** The mask as .seg.nrrd for 3D Slicer, with the names and colours of its labels. */
  toNrrd(): Uint8Array<ArrayBuffer>;
  /** Volumes per label: `index,name,voxels,milliliters`; with `intracranialMl` also `intracranial_milliliters,permille_of_intracranial`. */
  toCsv(): string;
}
