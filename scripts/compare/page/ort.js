/** onnxruntime-web: the network as an ONNX file; times from the input in memory to the output in memory. */
import { noise, product, timed } from './values.js';

const DIST = '/scripts/compare/node_modules/onnxruntime-web/dist/';

export async function prepare({ size, threads = 1, backend, model }) {
  const ort = await import(`${DIST}ort.${backend}.min.mjs`);
  ort.env.wasm.wasmPaths = DIST;
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(`/${model}`, { executionProviders: [backend] });
  const x = new ort.Tensor('float32', noise(product(size)), [1, 1, ...size]);
  return timed(async () => (await session.run({ x })).y.getData(), size);
}
