/**
 * The engine behind messages: { id, call, args } in; { id, progress }, { id, value } or { id, error } out, of which an
 * error that `isFatal` is this engine's last. Beside them { lock }, the name of a lock that is held as long as this worker
 * lives, and { requests }, when it made some.
 */
import { Engine } from './engine.js';
import { asInsituError, isTrap } from './error.js';
import { observeRequests } from './requests.js';

const engine = new Engine();
/** No call begins before: a worker that dies unheard leaves its caller waiting for ever. */
const held = holdLock();

self.onmessage = async ({ data: { id, call, args } }) => {
  await held;
  try {
    const value = await engine[call](args, (progress) => self.postMessage({ id, progress }));
    self.postMessage({ id, value }, buffersOf(value));
  } catch (thrown) {
    const { code, message, checks } = asInsituError(thrown);
    self.postMessage({ id, error: { code, message, checks, isFatal: isTrap(thrown) } });
  }
};

/** The big arrays of a segmentation are handed over, not copied. */
const buffersOf = ({ labels, nifti, nrrd, values, map } = {}) =>
  [labels, nifti, nrrd, values, map].filter(Boolean).map((array) => array.buffer);

observeRequests((requests) => self.postMessage({ requests }));

/** A worker that is killed says nothing, but what it holds is let go: whoever waits for this lock hears of its death. */
function holdLock() {
  const lock = `insitu-seg worker ${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const told = (name) => {
      self.postMessage({ lock: name });
      resolve();
      return new Promise(() => {});
    };
    // An opaque origin has locks and may not use them.
    if (navigator.locks) navigator.locks.request(lock, () => told(lock)).catch(() => told(null));
    else told(null);
  });
}
