/**
 * The generated code of each module, behind declarations of our own (artifacts.d.ts). It is small beside the wasm, and all of it
 * is part of the worker's own script: WebKit does not ask a page's service worker for what a worker imports later.
 */
import * as burn from './wasm/burn/insitu_seg.js';
import * as cpu from './wasm/cpu/insitu_seg.js';
import * as cpuRelaxed from './wasm/cpu-relaxed/insitu_seg.js';
import * as gpu from './wasm/gpu/insitu_seg.js';
import * as threads from './wasm/threads/insitu_seg.js';
import * as threadsRelaxed from './wasm/threads-relaxed/insitu_seg.js';

export const CODE = { gpu, cpu, threads, 'cpu-relaxed': cpuRelaxed, 'threads-relaxed': threadsRelaxed, burn };
