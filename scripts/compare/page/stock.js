/** Our network on burn's own kernels; it times itself, after one run that does not count. */
import init, { stock_benchmark } from '/scripts/compare/made/stock/insitu_seg.js';

export async function prepare({ base, size, train, backend }) {
  const { __wasm_call_ctors: registerAll } = await init();
  registerAll(); // build.rs says why
  return async () => (await stock_benchmark(base, ...size, train, 1, backend))[0];
}
