/** The slices of the open image: as its file has them, and where the viewer reads that otherwise than the engine, as the engine does. */
/** @import { ModelObject } from './objects.js' */
/** @import { Case, MaskedCase } from './types.js' */
import { inBox } from './edit/grid.js';
import { boxOfAll, middleOf } from './edit/middle.js';
import { t } from './i18n.js';
import { valuesAsNifti } from './open/nifti.js';
import { oneFile } from './open/pair.js';
import { state } from './state.js';

/** @type {Case | null} whose slices are drawn */
let drawn = null;
/** Whether that is what the engine reads. */
let isChecked = false;

/**
 * Draws the slices of `next`, once: the sample is drawn while the engine is still being loaded. What the viewer does not read,
 * or reads otherwise than the engine (units, scaling), is drawn from the engine's values; where that fails too it is open all
 * the same, without slices, and never under those of another image.
 * @param {Case} next
 */
export async function draw(next) {
  const { view, segmenter } = state;
  if (!view || (drawn === next && (isChecked || !next.info))) return;
  const fallBack = async (/** @type {unknown} */ thrown) => {
    if (!next.info || !segmenter) throw thrown;
    await view.showImage(valuesAsNifti(await segmenter.read(next.input), next.info));
  };
  try {
    if (drawn !== next)
      await oneFile(next.input, next.info)
        .then((file) => view.showImage(file))
        .catch(fallBack);
    if (next.info && !view.shows(next.info)) await fallBack(undefined);
    state.emit('viewNotice', null);
  } catch (thrown) {
    if (!next.info) return; // tried again when the engine has said what it is
    console.warn(thrown);
    view.clear();
    state.emit('viewNotice', t('cannotDraw'));
  }
  drawn = next;
  isChecked = next.info !== undefined;
}

/**
 * The crosshair goes to the first object where it lies beside all of them: within its box every slice shows an object.
 * @param {MaskedCase} one @param {ModelObject[]} objects @param {string} [only] the object that a person asked for, where it is one of several
 */
export function lookAtMask(one, objects, only) {
  const { grid, labels } = one.editor;
  const view = state.shownView;
  if (!view) return;
  const asked = objects.length > 1 && only ? objects.filter(({ name }) => name === only) : objects;
  const found = asked.map((own) => ({ own, box: boxOfAll(grid, labels, own.labels) })).filter(({ box }) => box !== null);
  if (found.length === 0 || found.some(({ box }) => box && inBox(box, view.place))) return;
  const middle = middleOf(grid, labels, found[0].own.labels);
  if (middle) view.goTo(middle);
}
