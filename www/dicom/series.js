/** DICOM files -> series in NIfTI, each converted by itself, so that one that fails or lacks slices takes no other with it. */
/** @import { DicomSeries } from '../types.js' */
/** @import { DicomHead } from './header.js' */
import { folderOf, pathOf } from '../open/paths.js';
import { Converter } from './converter.js';
import { isUneven, ONE_SLICE, warningsOf } from './warnings.js';

/** @typedef {{ file: File, head: DicomHead }} DicomFile */
/** A series that is not offered: what it is called, and why. @typedef {{ name: string, reason: 'empty' | 'uneven' | string }} Left */

/** Names of series, not of patients; one file for each series, not compressed, as it stays in this tab. */
const OPTIONS = ['-b', 'n', '-z', 'n', '-f', '%s_%d'];
/** The same in signed numbers: of others the converter makes no equal distances. */
const SIGNED = [...OPTIONS, '-l', 'n'];

/** @param {DicomFile[]} files of any number of series @returns {Promise<{ series: DicomSeries[], left: Left[] }>} the largest 3-D one first */
export async function seriesOf(files) {
  const converter = new Converter();
  /** @type {DicomSeries[]} */
  const series = [];
  /** @type {Left[]} */
  const left = [];
  try {
    for (const group of groupsOf(files)) {
      const { made, refused } = await convertGroup(converter, group);
      series.push(...made);
      left.push(...refused);
    }
  } finally {
    converter.close();
  }
  return { series: series.sort((a, b) => rank(b) - rank(a)), left };
}

/** Files by series, each image once; those that do not say theirs by folder. A medium's list of contents is no image. @param {DicomFile[]} files */
function groupsOf(files) {
  /** @type {Map<string, Map<string, File>>} */
  const groups = new Map();
  for (const { file, head } of files) {
    if (head.isDirectory) continue;
    const key = head.series ? `${head.study} ${head.series}` : folderOf(pathOf(file));
    const group = groups.get(key) ?? new Map();
    groups.set(key, group.set(head.sop ? `${head.sop} ${file.size}` : pathOf(file), file));
  }
  return [...groups.values()].map((group) => [...group.values()]);
}

/** @param {Converter} converter @param {File[]} files of one series @returns {Promise<{ made: DicomSeries[], refused: Left[] }>} */
async function convertGroup(converter, files) {
  const folder = commonFolder(files);
  const name = folder.slice(0, -1) || files[0].name;
  let answer = await converter.convert({ files, options: OPTIONS });
  if (answer.lines.some(isUneven) && !('error' in answer) && !answer.made.some(isEven)) {
    const signed = await converter.convert({ files, options: SIGNED });
    if ('made' in signed && signed.made.some(isEven)) answer = signed;
  }
  if ('error' in answer) return { made: [], refused: [{ name, reason: answer.error }] };
  const warnings = warningsOf(answer.lines);
  const stems = answer.made.map((file) => file.name.replace(/\.nii$/, ''));
  /** @type {DicomSeries[]} */
  const made = [];
  /** @type {Left[]} */
  const refused = [];
  for (const [i, file] of answer.made.entries()) {
    // What was straightened or made even stands for the stack that it was made of.
    if (stems.some((stem) => stem.startsWith(`${stems[i]}_`) && /^_(Tilt|Eq)/.test(stem.slice(stems[i].length)))) continue;
    const own = warnings.of(stems[i]);
    if (own.some(isUneven) && !isEven(file)) refused.push({ name: stems[i], reason: 'uneven' });
    else {
      const dims = await dimsOf(file);
      made.push({ name: file.name, path: folder + file.name, file, dims, warnings: [...(isSlice(dims) ? [ONE_SLICE] : []), ...own] });
    }
  }
  if (answer.made.length === 0) refused.push({ name, reason: 'empty' });
  return { made, refused };
}

/** Whether a series is a single slice, of which no volume can be made. @param {readonly number[]} dims */
export const isSlice = (dims) => dims.length < 3 || (dims.length === 3 && dims[2] === 1);

/** @param {File} file made by the converter out of slices at unequal distances */
const isEven = ({ name }) => /_Eq/.test(name);

/** The folder in which all of them lie. @param {File[]} files */
function commonFolder(files) {
  const [first, ...rest] = files.map((file) => folderOf(pathOf(file)).split('/'));
  const same = first.findIndex((part, i) => rest.some((other) => other[i] !== part));
  const parts = same < 0 ? first : [...first.slice(0, same), ''];
  return parts.join('/');
}

/** Of the converter's own headers, which are NIfTI-1 and little-endian. @param {File} file */
async function dimsOf(file) {
  const view = new DataView(await file.slice(40, 56).arrayBuffer());
  const dims = Array.from({ length: 8 }, (_, i) => view.getInt16(2 * i, true));
  return dims.slice(1, 1 + dims[0]);
}

/** Volumes before series of several volumes before slices; among them by size. @param {DicomSeries} series */
function rank({ dims }) {
  const voxels = dims.reduce((a, b) => a * b, 1);
  const solid = dims.length === 3 && dims[2] > 1 ? 2 : dims.length > 3 ? 1 : 0;
  return solid * 1e12 + voxels;
}
