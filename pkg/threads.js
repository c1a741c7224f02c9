/**
 * The threads of the CPU's engine. Each is a worker that runs the same file as the one that starts it, so that a bundler has
 * one worker to ship: a file that names itself as a worker, as the helper of wasm-bindgen-rayon does, has no end for some
 * of them. The generated code imports this module in that helper's place (pkg/glue.mjs).
 */
/** @import { ModuleName } from './artifacts.js' */
/** @import { Span, Speed } from './cores.js' */
import { coresFor } from './cores.js';
import { firstLine, InsituError } from './error.js';

/** The name of a worker that is a thread. */
export const THREAD = 'insitu-seg thread';

/** @typedef {{ module_or_path: WebAssembly.Module, memory: WebAssembly.Memory }} ThreadMemory */
/** What a thread is asked: to join the engine of that module, or when to measure its speed. @typedef {{ thread?: { module: ModuleName, init: ThreadMemory, receiver: number }, measure?: Span }} Joining */
/** What it answers. @typedef {{ joins?: true, speed?: Speed, refused?: string, requests?: import('./requests.js').Request[] }} Joined */

/** A browser may drop a worker to which nothing refers. @type {Worker[]} */
let kept = [];

/** Starts as many workers, and keeps those that this machine runs at once; how many these are. @param {number} most */
export async function prepareThreads(most) {
  kept = Array.from({ length: most }, anotherSelf);
  const measures = kept.map((worker) => async (/** @type {Span} */ measure) => {
    const { speed } = await ask(worker, { measure });
    return speed ?? { rate: 0, best: 1 };
  });
  const count = await coresFor(measures);
  for (const worker of kept.splice(count)) worker.terminate();
  return count;
}

/** @typedef {{ numThreads(): number, receiver(): number, build(): void }} PoolBuilder */

/**
 * What the generated code of `module` calls: starts the threads and waits until all of them are there.
 * @param {ModuleName} module
 */
export function startWorkersOf(module) {
  return async (/** @type {WebAssembly.Module} */ wasm, /** @type {WebAssembly.Memory} */ memory, /** @type {PoolBuilder} */ builder) => {
    /** @type {Joining} */
    const joining = { thread: { module, init: { module_or_path: wasm, memory }, receiver: builder.receiver() } };
    const count = builder.numThreads();
    if (kept.length !== count) kept = Array.from({ length: count }, anotherSelf);
    await Promise.all(kept.map((worker) => ask(worker, joining)));
    builder.build();
  };
}

/** A bundler may have made a classic script of this module, and only the scripts themselves know. */
function anotherSelf() {
  return new Worker(globalThis.location.href, { type: isModule() ? 'module' : 'classic', name: THREAD });
}

/** A module may not import scripts, whatever their address; this one is none. Without an address Firefox refuses nothing. */
function isModule() {
  try {
    /** @type {{ importScripts(address: string): void }} */ (/** @type {unknown} */ (globalThis)).importScripts('http://');
    return false;
  } catch (refused) {
    return refused instanceof TypeError;
  }
}

/** @param {Worker} worker @param {Joining} joining @returns {Promise<Joined>} */
function ask(worker, joining) {
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
    worker.onmessage = (/** @type {MessageEvent<Joined>} */ { data }) => {
      if (data.requests) globalThis.postMessage({ requests: data.requests });
      if (data.refused) fail(data.refused);
      if (data.joins || data.speed) resolve(data);
    };
    worker.postMessage(joining);
  });
}
