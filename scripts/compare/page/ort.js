/** onnxruntime-web: the network as an ONNX file; times from the input in memory to the output in memory. */
import { checkMaps, noise, product } from './values.js';

const DIST = '/scripts/compare/node_modules/onnxruntime-web/dist/';

export async function prepare({ size, threads = 1, backend, model }) {
  const ort = await import(`${DIST}ort.${backend}.min.mjs`);
  ort.env.wasm.wasmPaths = DIST;
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(`/${model}`, { executionProviders: [backend] });
  const x = new ort.Tensor('float32', noise(product(size)), [1, 1, ...size]);
  return async () => {
    const start = performance.now();
    const { y } = await session.run({ x });
    const values = await y.getData();
    const ms = performance.now() - start;
    checkMaps(values, size);
    return ms;
  };
}
