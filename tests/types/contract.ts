/** The implementation against the declarations; what shares its file's name with a declaration says so itself. Never run. */
import { benchmark } from '../../pkg/benchmark.js';
import { baseModelOf, tunedAmong } from '../../pkg/card.js';
import { InsituError } from '../../pkg/error.js';
import type * as declared from '../../pkg/index.js';
import { requestsSinceLoad } from '../../pkg/requests.js';
import { createSegmenter } from '../../pkg/segmenter.js';
import { shippedModels } from '../../pkg/shipped.js';
import { checkSupport } from '../../pkg/support.js';

export const made: typeof declared = {
  InsituError,
  baseModelOf,
  benchmark,
  checkSupport,
  createSegmenter,
  requestsSinceLoad,
  shippedModels,
  tunedAmong,
};
