/** What the parts of the page hand to each other. */
import type {
  Check,
  FieldOfView,
  Box as FileBox,
  ModelCard,
  Plan,
  Progress,
  Segmentation,
  Segmenter,
  TuneProgress,
  TuneReport,
  VolumeInfo,
} from 'insitu-seg';
import type { Editor } from './edit/editor.js';
import type { Box } from './edit/grid.js';
import type { Label } from './edit/table.js';

export type { Box, Label, Segmenter, VolumeInfo };

/** What the page is doing; `data-state` of the root element. */
export type Status = 'loading' | 'opening' | 'ready' | 'running' | 'tuning' | 'done' | 'error';

/** A run's result without its arrays, as JSON holds it. */
export type ResultFacts = Omit<Segmentation, 'labels' | 'toNifti' | 'toNrrd' | 'toCsv'>;

/** What the page uses of a run's result; a restored one has no more. */
export type Result = ResultFacts & Pick<Segmentation, 'toNifti' | 'toNrrd'>;

/** A mask of the last visit, not yet in an editor. */
export interface SavedMask {
  table: Label[];
  result: ResultFacts;
  labels: Uint8Array<ArrayBuffer>;
  base: Uint8Array<ArrayBuffer>;
  nifti: Uint8Array<ArrayBuffer>;
  nrrd: Uint8Array<ArrayBuffer>;
}

/** The box of an object, in voxels of the grid shown. */
export interface NamedBox extends Box {
  object: string;
}

/** What made a mask: of its card what the labels and objects are, whether it was tuned, and the name of the variant that it was. */
export interface MadeBy extends Pick<ModelCard, 'name' | 'title' | 'labels' | 'objects'> {
  scan?: Pick<NonNullable<ModelCard['scan']>, 'labels' | 'objects'>;
  isTuned: boolean;
  ownVariant?: string;
}

/** An open volume. */
export interface Case {
  id: string;
  /** Of its file, for the names of what is saved. */
  name: string;
  title: string;
  /** The name with the folders before it, as far as they are known. */
  path?: string;
  input: File | { hdr: File; img: File };
  /** Made of another format, of DICOM where none is named; `warnings`: what the converter said of it, in its words. */
  converted?: { from?: string; by?: string; warnings: string[] };
  /** Listed, but it cannot be opened. */
  isBroken?: boolean;
  info?: VolumeInfo;
  /** Its field of view, and whether the model takes it. */
  field?: FieldOfView;
  /** There from the first mask on. */
  editor?: Editor;
  /** Of the last run. */
  result?: Result;
  /** The model of the last run. */
  madeBy?: MadeBy;
  /** Where the page's address says that the object is, in voxels of the file: of the first run. */
  linkedBox?: FileBox & { object?: string };
  /** Where the second network looks, object by object. */
  boxes?: readonly NamedBox[];
  /** The side that an image of one object shows, where a person said it. */
  side?: string;
  /** Slices that a person found right, as 'plane:slice', with the hash of what they saw. */
  checked: Map<string, number | null>;
  isSample?: boolean;
  /** Corrected in the last visit. */
  corrected?: boolean;
  saved?: SavedMask;
}

/** A volume with a mask. */
export type MaskedCase = Case & Required<Pick<Case, 'info' | 'editor' | 'result'>>;

/** A part of the page that shows what is said of it. */
export type Place = 'viewer' | 'image' | 'segment' | 'all' | 'result' | 'teach';

export interface PageError {
  message: string;
  /** Of the header of the file that was refused, if it has one. */
  checks?: readonly Check[];
  /** Whether the sentence is in the page's language; the engine speaks English. */
  isPages: boolean;
  place?: Place;
}

/** What the panels show of a tuning. */
export interface TuningPoint {
  /** Steps so far. */
  at: number;
  loss?: number | null;
  dice?: number | null;
}

/** Converted DICOM series to choose from, or how far that is. */
export type DicomState = { reading: number } | { series: DicomSeries[] } | null;

export interface DicomSeries {
  name: string;
  path: string;
  /** Of the converter, in its words. */
  warnings: string[];
  file: File;
  dims: number[];
}

/** A file of several volumes, of which one is to be chosen. */
export interface Several {
  image: Pick<Case, 'name' | 'title' | 'path' | 'input' | 'converted'>;
  count: number;
}

/** What the page's state tells those who listen: a name, and what comes with it. */
export interface PageEvents {
  status: Status;
  /** The engine is ready, replaced, or could not be had. */
  segmenter: Segmenter | null;
  /** Nothing is wrong any more: null. */
  error: PageError | null;
  /** A sentence to be shown and spoken; '' where what was said is old. */
  message: { sentence: string; place?: Place };
  /** How far the opening of a file is. */
  opening: { name: string; step: 'read' | 'check' | 'draw' };
  /** Another volume is open. */
  opened: Case;
  /** The list of volumes, or what is known of one of them. */
  cases: readonly Case[];
  /** The forecast of the next run; null where there is none. */
  plan: Plan | 'planning' | null;
  progress: Progress;
  /** The open volume has a new mask; null where it has none. */
  mask: MaskedCase | null;
  /** How far the run over all open volumes is; null where none goes on. */
  all: { done: number; total: number } | null;
  /** A run is over, and its result is to be looked at. */
  result: MaskedCase;
  /** Voxels of the open mask changed. */
  voxels: Box;
  /** The volumes of the open mask are to be shown anew. */
  volumes: Editor;
  /** The label table of the open mask changed. */
  labels: Editor;
  /** Undo and redo of the open mask have other ends. */
  history: Editor;
  /** Which slices are marked as right, or whether the model is a tuned one. */
  marks: undefined;
  boxes: readonly NamedBox[];
  dicom: DicomState;
  /** Files of several volumes to choose from; none where there are none. */
  several: readonly Several[];
  /** 'another': the model is another one than the last tuning was of. */
  tuning: 'started' | TuneProgress | 'ended' | TuneReport | 'another';
  /** The volume of before a tuning and that of after it can be compared. */
  comparison: undefined;
  /** A mask was laid over that of the open volume, and the two can be told apart. */
  difference: undefined;
  /** The slice to check next: null where none is left. */
  suggestion: { plane: number; slice: number } | null;
  /** Why there are no slices; null where there are. */
  viewNotice: string | null;
  /** The crosshair moved. */
  crosshair: undefined;
  /** The slices were drawn anew. */
  drawn: undefined;
  /** Something that is to be kept changed. */
  touched: undefined;
}
