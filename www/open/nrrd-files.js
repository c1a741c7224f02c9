/** NRRD files that come in: images become NIfTI, as the engine reads it; label maps are laid over an image. */
/** @import { Case } from '../types.js' */
/** @import { Image } from './pair.js' */
import { bytesOf } from '../bytes.js';
import { pageError } from '../errors.js';
import { t } from '../i18n.js';
import { nrrdAsNifti } from './nifti.js';
import { isLabelMap, NrrdFault, openNrrd } from './nrrd.js';
import { pathOf, stem } from './paths.js';

/**
 * What each of the files is; what cannot be read is refused by its field.
 * @param {File[]} files
 */
export async function nrrdsAmong(files) {
  /** @type {(Image & Pick<Case, 'converted'>)[]} */
  const images = [];
  /** @type {File[]} */
  const masks = [];
  /** @type {Error[]} */
  const refusals = [];
  for (const file of files) {
    const [path, { name }] = [pathOf(file), file];
    try {
      const nrrd = await openNrrd(await bytesOf(file));
      if (isLabelMap(nrrd)) masks.push(file);
      else {
        const input = new File([nrrdAsNifti(nrrd)], `${stem(name)}.nii`);
        images.push({ name, path, title: name, input, converted: { from: 'NRRD', by: 'insitu-seg', warnings: [] } });
      }
    } catch (thrown) {
      const error = nrrdInWords(thrown, path, 'imageNrrd');
      refusals.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  return { images, masks, refusals };
}

/** What is wrong with a file as a sentence of the page. @param {unknown} thrown @param {string} name @param {'imageNrrd' | 'maskNrrd'} key */
export function nrrdInWords(thrown, name, key) {
  if (!(thrown instanceof NrrdFault)) return thrown;
  const { field, found, expected, values } = thrown;
  return pageError('malformed', t(key, { name, field, found, expected: t(expected, values) }));
}
