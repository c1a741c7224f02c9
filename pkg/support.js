import { InsituError } from './error.js';

/** What this browser offers, and which backend to take, with the reasons in words. */
export async function checkSupport() {
  const { adapter, reason } = await findAdapter();
  const info = adapter && describe(adapter);
  const simd = hasSimd();
  const threads = globalThis.crossOriginIsolated === true;
  const recommended = info && !info.software ? 'webgpu' : 'cpu';
  const reasons = [
    info ? `WebGPU: ${words(info)}${info.software ? ' (a software emulation: slow)' : ''}` : `WebGPU: ${reason}`,
    simd ? 'SIMD: yes' : 'SIMD: this browser has no WebAssembly SIMD, which the engine needs',
    threads ? 'Threads: yes' : 'Threads: no, this page is not cross-origin isolated',
  ];
  return { webgpu: Boolean(adapter), adapter: info ?? null, limits: adapter ? numbers(adapter.limits) : {}, threads, simd, recommended, reasons };
}

/**
 * The backend to run on, and one sentence that says why.
 * @param {'auto' | 'webgpu' | 'cpu'} asked
 */
export async function chooseBackend(asked) {
  if (!['auto', 'webgpu', 'cpu'].includes(asked)) {
    throw new InsituError('argument', `The backend must be 'auto', 'webgpu' or 'cpu', found '${asked}'.`);
  }
  if (!hasSimd()) throw new InsituError('unsupported', 'This browser has no WebAssembly SIMD, which the engine needs: use a browser from 2023 or later.');
  if (asked === 'cpu') return { backend: 'cpu', adapter: '', why: 'The CPU was asked for.' };
  const { adapter, reason } = await findAdapter();
  if (!adapter) {
    if (asked === 'webgpu') throw new InsituError('device', `WebGPU was asked for, but ${reason}.`);
    return { backend: 'cpu', adapter: '', why: `The CPU is used because ${reason}.` };
  }
  const info = describe(adapter);
  const name = words(info);
  if (asked === 'webgpu') {
    return { backend: 'webgpu', adapter: name, why: `WebGPU was asked for${info.software ? `; ${name} is a software emulation and slow` : ''}.` };
  }
  if (info.software) {
    return { backend: 'cpu', adapter: '', why: `The CPU is used because the only WebGPU adapter, ${name}, is a software emulation and slower than the CPU itself.` };
  }
  return { backend: 'webgpu', adapter: name, why: 'This browser offers the GPU through WebGPU.' };
}

async function findAdapter() {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) {
    const insecure = globalThis.isSecureContext === false;
    return { reason: insecure ? 'WebGPU needs a page served by https or from localhost' : 'this browser has no WebGPU (navigator.gpu is missing)' };
  }
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    return adapter ? { adapter } : { reason: 'this browser has WebGPU but found no adapter it would use' };
  } catch (error) {
    return { reason: `asking for a WebGPU adapter failed (${error.message})` };
  }
}

function describe(adapter) {
  const { vendor = '', architecture = '', device = '', description = '', isFallbackAdapter } = adapter.info ?? {};
  const software = Boolean(isFallbackAdapter ?? adapter.isFallbackAdapter) || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${vendor} ${architecture} ${device} ${description}`);
  return { vendor, architecture, device, description, software };
}

/** An adapter's name for people: its description, else what is known of it. */
function words({ vendor, architecture, device, description, software }) {
  if (/swiftshader/i.test(`${vendor} ${architecture} ${device} ${description}`)) return 'SwiftShader';
  return description || [vendor, architecture, device].filter(Boolean).join(' ') || (software ? 'a software adapter' : 'an adapter without a name');
}

function numbers(limits) {
  const found = {};
  for (const name in limits) if (typeof limits[name] === 'number') found[name] = limits[name];
  return found;
}

/** A module of one function that returns a v128: (i32.const 0, i8x16.splat, i8x16.popcnt). */
const SIMD_MODULE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

const hasSimd = () => WebAssembly.validate(new Uint8Array(SIMD_MODULE));
