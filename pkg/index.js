/**
 * insitu-seg: 3-D medical image segmentation that stays in the browser tab.
 *
 *   index.js      what you are reading: the public names
 *   segmenter.js  one model, ready to run: queue, cancel, restart
 *   assets.js     where wasm and weights are fetched from
 *   input.js      File | Blob | bytes | { hdr, img } -> bytes
 *   report.js     what a run says of itself
 *   benchmark.js  how fast a network runs here
 *   support.js    which engine this browser can run, and why
 *   host.js       where the engine runs: a worker, or this thread
 *   engine.js     the engine itself, the one seam to the generated wasm (gpu, cpu, threads)
 *   gpu.js        what the GPU reports behind the engine's back
 *
 * Importing it touches neither `window` nor `navigator`: it loads in Node and in server-side rendering.
 */
export { benchmark } from './benchmark.js';
export { InsituError } from './error.js';
export { createSegmenter } from './segmenter.js';
export { checkSupport } from './support.js';
