/** What src/web.rs gives to JavaScript, as wasm-bindgen makes it. Not part of the package's interface. */
import type { ChosenBoxes } from './boxes.js';
import type { Artifact, Backend } from './types/common.js';
import type { Benchmark } from './types/engine.js';
import type { Measure, Segmentation } from './types/result.js';
import type { Progress } from './types/segmenter.js';
import type { MergeOptions, Suggestion, TuneOptions, TuneProgress, TuneReport } from './types/tuning.js';
import type { FieldOfView, ImageVolume, Plan, VolumeInfo } from './types/volume.js';

export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes, or in a worker a Blob, which is read in pieces. */
export type FileBytes = Bytes | Blob;

/** A file as the engine reads it: all of it, or the header of a pair, whose voxels are then beside it. */
export type FileArguments = [header: FileBytes, voxels: FileBytes | undefined, maxBytes: number | undefined];

/** A case to learn from; labels per voxel, or a file of labels. */
export interface CaseBytes {
  name: string;
  file: FileBytes;
  voxels?: FileBytes;
  labels?: Uint8Array;
  labelFile?: FileBytes;
  labelVoxels?: FileBytes;
}

/** A run's result before it is dressed for the caller. */
export type RawSegmentation = Omit<Segmentation, 'report' | 'toNifti' | 'toNrrd' | 'toCsv'> & {
  nifti: Bytes;
  nrrd: Bytes;
  csv: string;
  measures: Measure[];
};

/** The report as `insitu tune` writes it. */
export type RawTuneReport = Omit<TuneReport, 'undoneSteps'> & { taken_back: number };

export type TuneSettings = Omit<TuneOptions, 'signal' | 'onProgress' | 'trainer'>;

export type MergeSettings = Omit<MergeOptions, 'signal' | 'onProgress'>;

export type OnStage = (stage: Progress['stage'], done: number, total: number) => void;

export interface Session {
  segment(...args: [...FileArguments, name: string, chosen: ChosenBoxes | undefined, progress: OnStage]): Promise<RawSegmentation>;
  missing(...args: FileArguments): string[];
  add(name: string, bytes: Bytes): Promise<void>;
  plan(...args: [...FileArguments, train: boolean]): Promise<Omit<Plan, 'threads'>>;
  fieldOfView(...args: FileArguments): FieldOfView;
  suggest(...args: [...FileArguments, count: number, axis: number | undefined, progress: OnStage]): Promise<Suggestion>;
  tune(
    cases: CaseBytes[],
    reference: CaseBytes | undefined,
    settings: TuneSettings,
    maxBytes: number | undefined,
    progress: (progress: TuneProgress) => void,
  ): Promise<{ report: RawTuneReport; delta?: Bytes; refused?: Bytes }>;
  merge(
    theirs: Bytes,
    cases: CaseBytes[],
    reference: CaseBytes | undefined,
    settings: MergeSettings,
    maxBytes: number | undefined,
    progress: (progress: TuneProgress) => void,
  ): Promise<{ report: RawTuneReport; delta?: Bytes; refused?: Bytes }>;
  keepVariant(refused: Bytes, name: string): Bytes;
  setDelta(delta: Bytes | undefined): void;
  card(): Bytes;
}

/** A module of wasm-bindgen. */
export interface EngineCode {
  default(options: { module_or_path: WebAssembly.Module; memory?: WebAssembly.Memory }): Promise<{
    memory: WebAssembly.Memory;
    /** With burn only, which registers things before anything else is called. */
    __wasm_call_ctors?(): void;
  }>;
  /** With threads only. */
  initThreadPool?(count: number): Promise<void>;
  /** With threads only; it ends with its worker. */
  wbg_rayon_start_worker?(receiver: number): void;
  /** Throws where this machine's vectors do not compute what they should. */
  checkVectors(): void;
  inspect(...args: FileArguments): VolumeInfo;
  read(...args: FileArguments): ImageVolume;
  benchmark(
    backend: Backend,
    base: number,
    x: number,
    y: number,
    z: number,
    train: boolean,
    runs: number,
  ): Promise<Omit<Benchmark, 'threads'>>;
  Session: { create(backend: Backend, card: Bytes, weights: [string, Bytes][], delta: Bytes | undefined): Promise<Session> };
}

/** The engine's forms, those of the CPU with fused products and sums, and that of the GPU in which burn trains. */
export type ModuleName = Artifact | 'cpu-relaxed' | 'threads-relaxed' | 'burn';

export const CODE: Record<ModuleName, EngineCode>;
