/** The engine that runs; without it the buttons that need it are disabled. */
import { pageError } from './errors.js';
import { t } from './i18n.js';
import { state } from './state.js';

/** The engine; throws where there is none. */
export function engine() {
  if (!state.segmenter) throw pageError('argument', t('notStarted'));
  return state.segmenter;
}
