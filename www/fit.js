/** What the model wants beside what the file is, before any time is spent: kind of image by its intensities, field of view, voxels. */
import { $, element } from './element.js';
import { number, say } from './words.js';

/** Below this no MR goes and every CT with air in it does, in Hounsfield units. */
const AIR = -300;

/**
 * @param {import('insitu-seg').ModelCard} model @param {import('insitu-seg').VolumeInfo} info
 * @returns {{ what: string, wanted: string, found: string, fits: boolean }[]}
 */
export function fitOf({ modalities, intensity, field_mm: field }, { min, dims, spacing_mm: spacing, affine }) {
  const looksCt = min < AIR;
  const rows = [
    {
      what: 'fitModality',
      wanted: [modalities].flat().join(', '),
      found: looksCt ? say('fitCt', { min: number(min) }) : say('fitMr'),
      fits: intensity?.kind === undefined || (intensity.kind === 'ct') === looksCt,
    },
  ];
  if (field) {
    const mm = fieldOf(dims, spacing, affine);
    rows.push({
      what: 'fitField',
      wanted: say('fitFieldWanted', { min: sides(field.min), max: sides(field.max) }),
      found: say('fitFieldFound', { mm: sides(mm) }),
      fits: mm.every((side, i) => side >= 0.8 * field.min[i] && side <= 1.25 * field.max[i]),
    });
  }
  rows.push({
    what: 'fitSpacing',
    wanted: say('fitSpacingWanted'),
    found: say('fitSpacingFound', { mm: spacing.map(number).join(' × ') }),
    fits: Math.max(...spacing) <= 5,
  });
  return rows;
}

const sides = (mm) => mm.map((side) => Math.round(side)).join(' × ');

/** Sides in the order right, anterior, superior: each axis of the file goes where it points most. */
function fieldOf(dims, spacing, affine) {
  const mm = [0, 0, 0];
  const free = new Set([0, 1, 2]);
  for (let axis = 0; axis < 3; axis++) {
    const world = [...free].reduce((a, b) => (Math.abs(affine[b][axis]) > Math.abs(affine[a][axis]) ? b : a));
    free.delete(world);
    mm[world] = (dims[axis] ?? 1) * (spacing[axis] ?? 1);
  }
  return mm;
}

export function showFit(rows) {
  const mark = (fits) => {
    const badge = element('strong', {}, say(fits ? 'fitOk' : 'fitOdd'));
    badge.dataset.severity = fits ? 'ok' : 'warning';
    return badge;
  };
  const odd = rows.some(({ fits }) => !fits);
  $('fit-summary').replaceChildren(`${say('fit')}: `, mark(!odd));
  $('fit-rows').replaceChildren(
    ...rows.map(({ what, wanted, found, fits }) =>
      element('tr', {}, element('th', { scope: 'row' }, say(what)), element('td', {}, wanted), element('td', {}, `${found} `, mark(fits))),
    ),
  );
  $('fit').open = odd;
  $('fit').hidden = false;
}
