/**
 * The threads of the CPU's engine. Each is a worker that runs the same file as the one that starts it, so that a bundler has
 * one worker to ship: a file that names itself as a worker, as the helper of wasm-bindgen-rayon does, has no end for some
 * of them. The generated code imports this module in that helper's place (pkg/glue.mjs).
 */
import { firstLine, InsituError } from './error.js';

/** The name of a worker that is a thread. */
export const THREAD = 'insitu-seg thread';

/** @typedef {{ module_or_path: WebAssembly.Module, memory: WebAssembly.Memory }} ThreadMemory */
/** @typedef {{ thread: { init: ThreadMemory, receiver: number } }} Joining */

/** A browser may drop a worker to which nothing refers. @type {Worker[]} */
let kept = [];

/**
 * What the generated code calls: starts the threads and waits until all of them are there.
 * @param {WebAssembly.Module} module @param {WebAssembly.Memory} memory
 * @param {{ numThreads(): number, receiver(): number, build(): void }} builder
 */
export async function startWorkers(module, memory, builder) {
  /** @type {Joining} */
  const joining = { thread: { init: { module_or_path: module, memory }, receiver: builder.receiver() } };
  kept = Array.from({ length: builder.numThreads() }, anotherSelf);
  await Promise.all(kept.map((worker) => joined(worker, joining)));
  builder.build();
}

/** A bundler may have made a classic script of this module, and only the scripts themselves know. */
function anotherSelf() {
  return new Worker(globalThis.location.href, { type: isModule() ? 'module' : 'classic', name: THREAD });
}

function isModule() {
  try {
    /** @type {{ importScripts?(): void }} */ (globalThis).importScripts?.();
    return false;
  } catch {
    return true;
  }
}

/** @param {Worker} worker @param {Joining} joining @returns {Promise<void>} */
function joined(worker, joining) {
  return new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => {
      for (const one of kept) one.terminate();
      reject(
        new InsituError(
          'io',
          `A thread of the engine could not be started (${firstLine(why)}): serve all of the package from this origin.`,
        ),
      );
    };
    worker.onerror = (event) => fail(event.message || 'its worker could not be loaded');
    worker.addEventListener('message', ({ data: { joins, refused, requests } }) => {
      if (requests) globalThis.postMessage({ requests });
      if (refused) fail(refused);
      if (joins) resolve();
    });
    worker.postMessage(joining);
  });
}
