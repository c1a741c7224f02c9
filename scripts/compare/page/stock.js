/** Our network on burn's own WebGPU kernels; it times the forward pass itself, which is long enough to need no warm-up. */
import init, { stock_benchmark } from '/scripts/compare/made/stock/insitu_seg.js';

export async function prepare({ base, size }) {
  const { __wasm_call_ctors: registerAll } = await init();
  registerAll(); // build.rs says why
  return async () => (await stock_benchmark(base, ...size, 1))[0];
}
