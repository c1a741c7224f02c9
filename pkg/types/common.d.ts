/** What all parts speak of: axes, files, backends. */

export type Backend = 'webgpu' | 'cpu';
/** The engine's forms: WebGPU; the CPU on one thread; the CPU on several, in a cross-origin isolated page. The CPU's are there with and without `relaxedSimd`. */
export type Artifact = 'gpu' | 'cpu' | 'threads';
export type Triple = [x: number, y: number, z: number];
/** Four rows; voxel index (i, j, k, 1) -> millimetres. */
export type Affine = [number, number, number, number][];

/** A file, plain or gzipped. */
export type Bytes = File | Blob | ArrayBuffer | ArrayBufferView;
/** A NIfTI-1 or NIfTI-2 image, in one file or in a pair of header and voxels, or FreeSurfer's .mgz or .mgh. */
export type Input = Bytes | { hdr: Bytes; img: Bytes };

/** In voxels of the file; `end` is exclusive. */
export interface Box {
  start: Triple;
  end: Triple;
}

/** The box of one of the objects that a model looks for. */
export interface ObjectBox extends Box {
  /** Its name in the model's card, such as 'left'; 'object' where there is only one. */
  object: string;
  /** The side of the body, where it is known. */
  side?: 'left' | 'right';
  /** How much the folds of the second network agree on it, from 0 to 1, where more than one was there. */
  agreement?: number;
}
