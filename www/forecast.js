/** What a run over the open volume would take, said before it is begun. */
/** @import { Case } from './types.js' */
import { engine } from './engine.js';
import { state } from './state.js';

/** Somebody who knows what they want presses the button at once, and need not wait for a forecast of it. */
const HESITATION_MS = 500;

/** Forecasts the run, when it is known; a forecast that fails is no reason to stop. @param {Case} one */
export async function forecast(one) {
  state.emit('plan', 'planning');
  // A run that was begun meanwhile may be cancelled.
  do await new Promise((resolve) => setTimeout(resolve, HESITATION_MS));
  while (state.current === one && state.isBusy);
  if (state.current !== one || one.editor) return;
  try {
    const plan = await engine().plan(one.input);
    if (state.current === one) state.emit('plan', plan);
  } catch (thrown) {
    state.emit('plan', null);
    console.warn(thrown);
  }
}
