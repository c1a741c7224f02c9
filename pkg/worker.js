/**
 * The engine behind messages: { id, call, args } in; { id, progress }, { id, value } or { id, error } out, of which an
 * error that `isFatal` is this engine's last. Beside them { lock }, the name of a lock that is held as long as this worker
 * lives, and { requests }, when it made some. By the name of THREAD it is no engine but one of an engine's threads.
 */
/** @import { Args, CallName, Message } from './calls.js' */
/** @import { Joined, Joining } from './threads.js' */
import { callOn } from './calls.js';
import { speedOver } from './cores.js';
import { Engine, joinThreads } from './engine.js';
import { asInsituError, isTrap } from './error.js';
import { observeRequests } from './requests.js';
import { THREAD } from './threads.js';

/** @param {Message | Joined} message @param {Transferable[]} [transfer] */
const post = (message, transfer = []) => globalThis.postMessage(message, { transfer });

if (/** @type {{ name?: string }} */ (globalThis).name === THREAD) serveAsThread();
else serveEngine();
observeRequests((requests) => post({ requests }));

function serveEngine() {
  const engine = new Engine();
  /** No call begins before: a worker that dies unheard leaves its caller waiting for ever. */
  const locked = holdLock();

  /** @param {MessageEvent<{ id: number, call: CallName, args: Args<CallName> }>} event */
  globalThis.onmessage = async ({ data: { id, call, args } }) => {
    await locked;
    try {
      const value = await callOn(engine, call, args, (progress) => post({ id, progress }));
      post({ id, value }, buffersOf(value));
    } catch (thrown) {
      const { code, message, checks } = asInsituError(thrown);
      post({ id, error: { code, message, checks, isFatal: isTrap(thrown) } });
    }
  };
}

/** Tells how fast it is, and joins the threads of the engine whose memory it is given, for the rest of its life. */
function serveAsThread() {
  /** @param {MessageEvent<Joining>} event */
  globalThis.onmessage = async ({ data: { thread, measure } }) => {
    if (measure) post({ speed: speedOver(measure) });
    if (!thread) return;
    try {
      await joinThreads(thread, () => post({ joins: true }));
    } catch (thrown) {
      post({ refused: asInsituError(thrown).message });
    }
  };
}

/** The big arrays of an answer are handed over, not copied. @param {unknown} value */
function buffersOf(value) {
  const { labels, nifti, nrrd, values, map } = /** @type {Record<string, unknown>} */ (value ?? {});
  return [labels, nifti, nrrd, values, map].flatMap((array) =>
    ArrayBuffer.isView(array) ? [/** @type {ArrayBuffer} */ (array.buffer)] : [],
  );
}

/** A worker that is killed says nothing, but its locks are released: whoever waits for this one hears of its death. @returns {Promise<void>} */
function holdLock() {
  const lock = `insitu-seg worker ${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const isHeld = (/** @type {string | null} */ name) => {
      post({ lock: name });
      resolve();
      return new Promise(() => {});
    };
    // An opaque origin has locks and may not use them.
    if (navigator.locks) navigator.locks.request(lock, () => isHeld(lock)).catch(() => isHeld(null));
    else isHeld(null);
  });
}
