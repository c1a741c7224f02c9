/** The engine behind messages: { id, call, args } in; { id, progress }, { id, value } or { id, error } out. */
import { Engine } from './engine.js';
import { asInsituError } from './error.js';

const engine = new Engine();

self.onmessage = async ({ data: { id, call, args } }) => {
  try {
    const value = await engine[call](args, (progress) => self.postMessage({ id, progress }));
    self.postMessage({ id, value }, buffersOf(value));
  } catch (thrown) {
    const { code, message, checks } = asInsituError(thrown);
    self.postMessage({ id, error: { code, message, checks } });
  }
};

/** The big arrays of a segmentation are handed over, not copied. */
const buffersOf = ({ labels, nifti, nrrd } = {}) => [labels, nifti, nrrd].filter(Boolean).map((array) => array.buffer);
