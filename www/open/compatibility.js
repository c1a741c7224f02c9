/** What the model wants beside what the file is, before any time is spent: kind of image by its intensities, field of view, voxels. */
/** @import { FieldOfView, ModelCard } from 'insitu-seg' */
/** @import { VolumeInfo } from '../types.js' */
/** @import { Key } from '../i18n.js' */
import { number, t } from '../i18n.js';

/** Below this no MR goes and every CT with air in it does, in Hounsfield units. */
const AIR = -300;

/** @param {Pick<VolumeInfo, 'min'>} info */
export const looksCt = ({ min }) => min < AIR;

/** Thicker slices blur what the model looks for, millimetres. */
const THICKEST = 5;

/** @typedef {{ what: Key, wanted: string, found: string, fits: boolean }} Comparison */

/**
 * @param {ModelCard} model @param {VolumeInfo} info @param {FieldOfView} field of view, and the engine's word on it
 * @returns {Comparison[]}
 */
export function compareWith({ modalities, intensity, field_mm, scan }, { min, spacing_mm: spacing }, field) {
  const isCt = looksCt({ min });
  const fields = [field_mm, ...(scan ? [scan.field_mm] : [])].map((wanted) =>
    t('fitFieldWanted', { min: sides(wanted.min), max: sides(wanted.max) }),
  );
  return [
    {
      what: 'fitModality',
      wanted: either([[modalities].flat().join(', '), ...(scan ? [scan.modalities.join(', ')] : [])]),
      found: isCt ? t('fitCt', { min: number(min) }) : t('fitMr'),
      fits: intensity?.kind === undefined || (intensity.kind === 'ct') === isCt,
    },
    {
      what: 'fitField',
      wanted: either(fields),
      found: t('fitFieldFound', { mm: sides(field.mm) }),
      fits: field.fits,
    },
    {
      what: 'fitSpacing',
      wanted: t('fitSpacingWanted'),
      found: t('fitSpacingFound', { mm: spacing.map(number).join(' × ') }),
      fits: Math.max(...spacing) <= THICKEST,
    },
  ];
}

/** What a model takes, or else what it takes as a whole scan. @param {string[]} wanted */
const either = ([one, other]) => (other === undefined ? one : t('fitEither', { one, other }));

/** @param {readonly number[]} mm */
const sides = (mm) => mm.map((side) => Math.round(side)).join(' × ');
