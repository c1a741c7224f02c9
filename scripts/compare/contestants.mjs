/**
 * Who runs. `group` is what a contestant has to work with: ours of the same group is what it is compared with.
 * `start` readies it for a network and gives `{ turn() -> ms, close() }`; it throws where it cannot run here.
 */
import { burnModule, dependencies, model, peers } from './made.mjs';
import { insituBench, kerasOnTensorFlow, onnxruntime } from './native.mjs';

/** In the browser: a module of page/, in a worker of its own, after what it needs on disk. */
const inBrowser = (module, needs) => async (job, stage) => stage.player({ ...job, ...(await needs?.(job)), module });

const ort = inBrowser('ort.js', async (job) => {
  await peers();
  return { model: await model(job) };
});
const tfjs = inBrowser('tfjs.js', peers);
const ours = inBrowser('ours.js');
const burn = inBrowser('burn.js', burnModule);

const threaded = (key, name, start, where, options) =>
  [1, 2].map((threads) => ({
    key: `${key}-${threads}`,
    name,
    start,
    group: `${where}, ${threads} thread${threads > 1 ? 's' : ''}`,
    options: { threads, ...options },
  }));

const ortWeb = `onnxruntime-web ${dependencies['onnxruntime-web']}`;
const tensorflow = `TensorFlow.js ${dependencies['@tensorflow/tfjs-core']}`;

export const contestants = [
  ...threaded('ours', 'insitu-seg', ours, 'wasm', { backend: 'cpu' }),
  ...threaded('plain', 'insitu-seg without relaxed SIMD', ours, 'wasm', { backend: 'cpu', relaxedSimd: false }),
  ...threaded('ort', ortWeb, ort, 'wasm', { backend: 'wasm' }),
  ...threaded('tfjs', tensorflow, tfjs, 'wasm'),
  { key: 'ours-webgpu', name: 'insitu-seg', start: ours, group: 'webgpu', options: { backend: 'webgpu' } },
  // Its WebGPU has no 3-D transposed convolution: a 1^3 convolution and a shuffle do the same work.
  { key: 'ort-webgpu', name: ortWeb, start: ort, group: 'webgpu', options: { backend: 'webgpu', rewriteUp: true } },
  { key: 'burn-webgpu', name: "burn's own kernels", start: burn, group: 'webgpu', options: { backend: 'webgpu' } },
  { key: 'burn-1', name: 'burn-flex', start: burn, group: 'wasm, 1 thread', options: { backend: 'cpu' } },
  ...threaded('ours-native', 'insitu-seg', insituBench, 'native'),
  ...threaded('ort-native', 'onnxruntime', onnxruntime, 'native'),
  ...threaded('keras-native', 'Keras', kerasOnTensorFlow, 'native', { onlyTrains: true }),
];

/** Who is asked for: by key or the beginning of one; of the native ones none without `native`; only who can train, or not only. */
export const chosen = ({ only, native, train }) =>
  contestants.filter(
    ({ key, group, options }) =>
      (train ? !/^(ort|tfjs)/.test(key) : !options.onlyTrains) &&
      (native || !group.startsWith('native')) &&
      (!only || only.some((name) => key === name || key.startsWith(`${name}-`))),
  );

/** Why a contestant should not run: a GPU in software, and TensorFlow.js, take minutes for a wide network. */
export function reluctance({ key, group }, base, only) {
  const slow = base > 8 && (group === 'webgpu' || key.startsWith('tfjs'));
  return slow && !only?.includes(key) ? `minutes for each run; \`--only ${key}\` runs it` : null;
}

/** Whether a contestant is the one that its group is compared with. */
export const isOurs = ({ key }) => key.startsWith('ours-');
