/**
 * insitu-seg: 3-D medical image segmentation that stays in the browser tab.
 *
 *   index.js      what you are reading: the public names
 *   segmenter.js  one model, ready to run: queue and cancel
 *   supervisor.js keeps an engine running: restart, recovery (what is tried again: recovery.js)
 *   model.js      a model's files: given, kept (cache.js), or fetched; card.js: what its card must have
 *   assets.js     where wasm and files are fetched from; shipped.js: the package's own, each where bundlers see it
 *   input.js      File | Blob | bytes | { hdr, img } -> bytes
 *   report.js     what a run says of itself
 *   csv.js        volumes as a table
 *   tuning.js     what was tuned, step by step; cases to learn from
 *   calls.js      calls of the engine by name, and the messages that carry them
 *   heartbeat.js  no progress without news
 *   requests.js   how many requests were made since the page was loaded
 *   benchmark.js  how fast a network runs here
 *   support.js    which engine this browser can run, and why
 *   host.js       where the engine runs: a worker, or this thread
 *   threads.js    the threads of the CPU's engine
 *   engine.js     the engine itself, the one user of the generated wasm (artifacts.js: gpu, cpu, threads, and the last two with relaxed SIMD)
 *   types/        the declarations, by theme
 *   gpu.js        what the GPU reports behind the engine's back
 *
 * Beside it, each by its own name: session.js (what a person made, kept in the browser's files: opfs.js on opfs-write.js), niivue.js (masks
 * and strokes in NiiVue), element.js (a web component).
 *
 * Importing it touches neither `window` nor `navigator`: it loads in Node and in server-side rendering.
 */
export { benchmark } from './benchmark.js';
export { baseModelOf, tunedAmong } from './card.js';
export { InsituError } from './error.js';
export { requestsSinceLoad } from './requests.js';
export { createSegmenter } from './segmenter.js';
export { shippedModels } from './shipped.js';
export { checkSupport } from './support.js';
