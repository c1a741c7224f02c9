/** A second volume over the open one: read as the first is, and laid where both headers put it. */
/** @import { Case } from './types.js' */

import { engine } from './engine.js';
import { clearError, fail, withName } from './failures.js';
import { valuesAsNifti } from './open/nifti.js';
import { oneFile } from './open/pair.js';
import { state } from './state.js';
import { inspected } from './workflow.js';

/**
 * Lays a volume over the open one; what the viewer reads otherwise than the engine, as the engine does.
 * @param {Case} one @returns {Promise<boolean>} whether it lies there: another image may be open by now, or it cannot be read
 */
export async function laySecond(one) {
  const { current, shownView: view } = state;
  if (!view) return false;
  const isStill = () => state.current === current && state.shownView === view;
  clearError();
  try {
    const info = (one.info ??= await inspected(one));
    return await oneFile(one.input, info)
      .then((file) => view.showSecond(file, info, isStill))
      .catch(async () => view.showSecond(valuesAsNifti(await engine().read(one.input), info), info, isStill));
  } catch (thrown) {
    fail(withName(thrown, one.name));
    return false;
  }
}
