/** What each of the files is that were chosen or dropped together, by its content and its name. */
/** @import { DicomFile } from '../dicom/series.js' */
import { dicomHead } from '../dicom/dicom.js';
import { halfOf, isImageName } from './pair.js';
import { pathOf } from './paths.js';
import { beginsAsVolume } from './sniff.js';

/** As many are looked at side by side; a study has thousands. */
const AT_ONCE = 32;

/**
 * `others`: no images by their names; `empty`, `broken`: images by their names only; `unread`: nobody knows.
 * @typedef {Record<'others' | 'empty' | 'broken' | 'unread', string[]> & { images: File[], masks: File[], nrrds: File[], dicom: DicomFile[] }} Sorted
 */

/** @param {File[]} files @returns {Promise<Sorted>} */
export async function sorted(files) {
  /** @type {Sorted} */
  const found = { images: [], masks: [], nrrds: [], dicom: [], others: [], empty: [], broken: [], unread: [] };
  const isAlone = files.length === 1;
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const some = files.slice(at, at + AT_ONCE);
    const kinds = await Promise.all(some.map((file) => kindOf(file, isAlone).catch(() => /** @type {const} */ ('unread'))));
    for (const [i, kind] of kinds.entries()) {
      if (typeof kind !== 'string') found.dicom.push({ file: some[i], head: kind });
      else if (kind === 'images' || kind === 'masks' || kind === 'nrrds') found[kind].push(some[i]);
      else found[kind].push(pathOf(some[i]));
    }
  }
  return found;
}

/**
 * One file alone is an image whatever its name, as its reader says what is wrong with it.
 * @param {File} file @param {boolean} isAlone
 */
async function kindOf(file, isAlone) {
  if (file.size === 0) {
    await file.slice(0, 1).arrayBuffer(); // one that is gone says so here
    return isAlone || isImageName(file) ? 'empty' : 'others';
  }
  const head = await dicomHead(file);
  if (head) return head;
  // What it holds its header and its voxels say; 3D Slicer's own name says it too.
  if (/\.(nrrd|nhdr)$/i.test(file.name) && !file.name.startsWith('.')) return /\.seg\.nrrd$/i.test(file.name) ? 'masks' : 'nrrds';
  if (isAlone) return 'images';
  if (!isImageName(file)) return 'others';
  // The voxels of a pair may begin with anything.
  return halfOf(file) === 'img' || (await beginsAsVolume(file)) ? 'images' : 'broken';
}
