/** The generated code of each artifact, behind declarations of our own (artifacts.d.ts); only what runs is fetched. */
export const CODE = {
  gpu: () => import('./wasm/gpu/insitu_seg.js'),
  cpu: () => import('./wasm/cpu/insitu_seg.js'),
  threads: () => import('./wasm/threads/insitu_seg.js'),
};
