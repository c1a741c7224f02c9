/** @import { ModuleName } from './artifacts.js' */
/** @import { Artifact, Backend, Support } from './index.js' */
import { InsituError, messageOf } from './error.js';

/** Each thread is a worker with a stack and scratch memory of its own; a server's cores would make hundreds. */
const MOST_THREADS = 16;

/** What this browser offers, and which backend to use, with the reasons in words. @type {typeof import('./index.js').checkSupport} */
export async function checkSupport() {
  const { adapter, reason } = await findAdapter();
  const info = adapter && describe(adapter);
  const simd = hasSimd();
  const relaxedSimd = hasRelaxedSimd();
  const { threads, why } = chooseThreads({});
  const recommended = info && !info.software ? 'webgpu' : 'cpu';
  const reasons = [
    info ? `WebGPU: ${nameOf(info)}${info.software ? ' (a software emulation: slow)' : ''}` : `WebGPU: ${reason}`,
    simd ? `SIMD: yes${relaxedSimd ? ', relaxed too' : ''}` : 'SIMD: this browser has no WebAssembly SIMD, which the engine needs',
    threads > 1 ? `Threads: ${threads}` : `Threads: no, ${why}`,
  ];
  return {
    webgpu: Boolean(adapter),
    adapter: info ?? null,
    limits: adapter ? numbersOf(adapter.limits) : {},
    threads: threads > 1,
    simd,
    relaxedSimd,
    recommended,
    reasons,
  };
}

/** @typedef {{ artifact: Artifact, relaxedSimd: boolean, backend: Backend, adapter: string, threads: number, why: string, because?: string }} Choice `because`: of `why`, what does not hang on the number of threads */
/** @typedef {{ backend?: 'auto' | Backend, threads?: number, relaxedSimd?: boolean, worker?: boolean }} Asked */
/** @typedef {NonNullable<Support['adapter']>} AdapterInfo */

/** The engine to run, and one sentence that says why. @param {Asked} asked @returns {Promise<Choice>} */
export async function chooseEngine({ backend = 'auto', ...asked }) {
  if (!['auto', 'webgpu', 'cpu'].includes(backend)) {
    throw new InsituError('argument', `The backend must be 'auto', 'webgpu' or 'cpu', found '${backend}'.`);
  }
  const { threads } = asked;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
    throw new InsituError(
      'argument',
      `threads must be a whole number from 1 to 256, found ${typeof threads === 'number' ? threads : typeof threads}.`,
    );
  }
  if (!hasSimd())
    throw new InsituError('unsupported', 'This browser has no WebAssembly SIMD, which the engine needs: use a browser from 2023 or later.');
  if (backend === 'cpu') return onCpu('The CPU was asked for', asked);
  const { adapter, reason } = await findAdapter();
  if (!adapter) {
    if (backend === 'webgpu') throw new InsituError('device', `WebGPU was asked for, but ${reason}.`);
    return onCpu(`The CPU is used because ${reason}`, asked);
  }
  const info = describe(adapter);
  const name = nameOf(info);
  if (backend === 'webgpu') {
    return onGpu(name, `WebGPU was asked for${info.software ? `; ${name} is a software emulation and slow` : ''}.`);
  }
  if (info.software) {
    return onCpu(`The CPU is used because the only WebGPU adapter, ${name}, is a software emulation and slower than the CPU itself`, asked);
  }
  return onGpu(name, 'This browser offers the GPU through WebGPU.');
}

/**
 * The engine to try where `failed` could not start, or null.
 * @param {Choice} failed @param {InsituError} error @param {Asked} asked
 * @returns {Choice | null}
 */
export function chooseInstead(failed, error, asked) {
  const { artifact } = failed;
  const reason = error.message.replace(/\.$/, '');
  if (artifact === 'gpu' && asked.backend === 'auto') return onCpu(`The CPU is used because WebGPU failed to start (${reason})`, asked);
  const machinery = ['internal', 'io', 'unsupported'].includes(error.code);
  // Sums that are wrong are so on any number of threads; else threads are given up first. A worker that died is no reason.
  if (failed.relaxedSimd && (error.code === 'device' || (artifact === 'cpu' && machinery && error.code !== 'internal'))) {
    const why = `The CPU computes without relaxed SIMD because it failed to start (${reason}).`;
    return { ...failed, relaxedSimd: false, why, because: why.replace(/\.$/, '') };
  }
  if (artifact === 'threads' && machinery) {
    return { ...failed, artifact: 'cpu', threads: 1, why: `The CPU uses one thread because threads failed to start (${reason}).` };
  }
  return null;
}

/** @param {string} adapter @param {string} why @returns {Choice} */
const onGpu = (adapter, why) => ({ artifact: 'gpu', relaxedSimd: false, backend: 'webgpu', adapter, threads: 1, why });

/** @param {string} because @param {Asked} asked @returns {Choice} */
function onCpu(because, asked) {
  const { threads, why } = chooseThreads(asked);
  const count = threads > 1 ? `${threads} threads` : `one thread, as ${why}`;
  const artifact = threads > 1 ? 'threads' : 'cpu';
  const relaxedSimd = asked.relaxedSimd !== false && hasRelaxedSimd();
  return { artifact, relaxedSimd, backend: 'cpu', adapter: '', threads, why: `${because}; it uses ${count}.`, because };
}

/** The module of wasm that a choice comes to. @param {Choice} choice @returns {ModuleName} */
export const moduleOf = ({ artifact, relaxedSimd }) => (relaxedSimd && artifact !== 'gpu' ? `${artifact}-relaxed` : artifact);

/** The engine with as many threads as it runs, where this machine does not do as much at once as the browser says. @param {Choice} choice @param {number} threads @returns {Choice} */
export function withThreads(choice, threads) {
  if (threads === choice.threads) return choice;
  const why = `${choice.because}; it uses ${threads} threads, as many as this machine runs at once (the browser names ${choice.threads} cores).`;
  return { ...choice, threads, why };
}

/** How many threads may share memory; where it is one, why. @param {Asked} asked */
function chooseThreads({ threads, worker = true }) {
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  const one = (/** @type {string} */ why) => ({ threads: 1, why });
  if (threads === 1) return one('was asked for');
  if (!worker) return one('the calling thread cannot wait for others');
  if (globalThis.crossOriginIsolated !== true) return one('this page is not cross-origin isolated');
  if (!canShareMemory()) return one('this browser has no memory that threads could share (SharedArrayBuffer)');
  if (threads === undefined && cores === 1) return one('this machine has one core');
  return { threads: threads ?? Math.min(cores, MOST_THREADS), why: '' };
}

/** A page may be isolated in a browser that has turned shared memory off. */
function canShareMemory() {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}

/** @returns {Promise<{ adapter: GPUAdapter, reason?: undefined } | { adapter?: undefined, reason: string }>} */
async function findAdapter() {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) {
    const insecure = globalThis.isSecureContext === false;
    return {
      reason: insecure ? 'WebGPU needs a page served by https or from localhost' : 'this browser has no WebGPU (navigator.gpu is missing)',
    };
  }
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    return adapter ? { adapter } : { reason: 'this browser has WebGPU but found no adapter it would use' };
  } catch (error) {
    return { reason: `asking for a WebGPU adapter failed (${messageOf(error)})` };
  }
}

/** @param {GPUAdapter} adapter @returns {AdapterInfo} */
function describe(adapter) {
  /** @type {Partial<GPUAdapterInfo>} */
  const { vendor = '', architecture = '', device = '', description = '', isFallbackAdapter } = adapter.info ?? {};
  const software =
    Boolean(isFallbackAdapter ?? /** @type {{ isFallbackAdapter?: boolean }} */ (adapter).isFallbackAdapter) ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${vendor} ${architecture} ${device} ${description}`);
  return { vendor, architecture, device, description, software };
}

/** An adapter's name for people: its description, else what is known of it. @param {AdapterInfo} info */
function nameOf({ vendor, architecture, device, description, software }) {
  if (/swiftshader/i.test(`${vendor} ${architecture} ${device} ${description}`)) return 'SwiftShader';
  return (
    description ||
    [vendor, architecture, device].filter(Boolean).join(' ') ||
    (software ? 'a software adapter' : 'an adapter without a name')
  );
}

/** Limits as a plain object: a browser's own has them on its prototype. @param {GPUSupportedLimits} limits */
function numbersOf(limits) {
  /** @type {Record<string, number>} */
  const found = {};
  for (const name in limits) {
    const value = limits[/** @type {keyof GPUSupportedLimits} */ (name)];
    if (typeof value === 'number') found[name] = value;
  }
  return found;
}

/** A module of one function that returns a v128: (i32.const 0, i8x16.splat, i8x16.popcnt). */
const SIMD_MODULE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

const hasSimd = () => WebAssembly.validate(new Uint8Array(SIMD_MODULE));

/** The same of three splats and an f32x4.relaxed_madd. */
const RELAXED_MODULE = [
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
];

const hasRelaxedSimd = () => WebAssembly.validate(new Uint8Array(RELAXED_MODULE));
