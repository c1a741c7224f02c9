/**
 * The files that come with this package, each by an address of its own that bundlers see and ship: an address put together
 * from parts is one that they cannot follow. They are asked for by name, and made when asked, as a server that
 * imports this module has no such addresses.
 */
/** @import { ModuleName } from './artifacts.js' */

/** @type {Record<ModuleName, () => URL>} */
export const ENGINES = {
  gpu: () => new URL('./wasm/gpu/insitu_seg_bg.wasm', import.meta.url),
  cpu: () => new URL('./wasm/cpu/insitu_seg_bg.wasm', import.meta.url),
  threads: () => new URL('./wasm/threads/insitu_seg_bg.wasm', import.meta.url),
  'cpu-relaxed': () => new URL('./wasm/cpu-relaxed/insitu_seg_bg.wasm', import.meta.url),
  'threads-relaxed': () => new URL('./wasm/threads-relaxed/insitu_seg_bg.wasm', import.meta.url),
  burn: () => new URL('./wasm/burn/insitu_seg_bg.wasm', import.meta.url),
};

/** Files of each model by name; tests/web/tarball.test.mjs holds them against the folders. @type {Record<string, Record<string, () => URL>>} */
export const MODELS = {
  hippocampus: {
    'model.json': () => new URL('./models/hippocampus/model.json', import.meta.url),
    'whole-0.safetensors': () => new URL('./models/hippocampus/whole-0.safetensors', import.meta.url),
    'patch-0.safetensors': () => new URL('./models/hippocampus/patch-0.safetensors', import.meta.url),
    'patch-1.safetensors': () => new URL('./models/hippocampus/patch-1.safetensors', import.meta.url),
    'patch-2.safetensors': () => new URL('./models/hippocampus/patch-2.safetensors', import.meta.url),
    'scan-0.safetensors': () => new URL('./models/hippocampus/scan-0.safetensors', import.meta.url),
    'reference-image.nii': () => new URL('./models/hippocampus/reference-image.nii', import.meta.url),
    'reference-label.nii': () => new URL('./models/hippocampus/reference-label.nii', import.meta.url),
  },
};

/** The names of the models that come with this package. @type {typeof import('./index.js').shippedModels} */
export const shippedModels = Object.keys(MODELS);
