/** Our network on burn's own kernels; it times itself, after one run that does not count. */
import init, { burn_benchmark } from '/scripts/compare/made/burn/insitu_seg.js';

export async function prepare({ base, size, train, backend }) {
  const { __wasm_call_ctors: registerAll } = await init();
  registerAll(); // build.rs says why
  return async () => (await burn_benchmark(base, ...size, train, 1, backend))[0];
}
