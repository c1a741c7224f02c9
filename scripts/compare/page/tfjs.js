/** TensorFlow.js on its wasm backend; times from the input as a tensor to the output in memory. */
import '/scripts/compare/node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js';
import '/scripts/compare/node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js';
import { network } from './tfjs_network.js';
import { noise, product, timed } from './values.js';

/** Both files add to one global. */
const { tf } = globalThis;

export async function prepare({ base, size, threads }) {
  tf.wasm.setWasmPaths('/scripts/compare/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
  if (threads === 1) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  else tf.wasm.setThreadsCount(threads);
  if (!(await tf.setBackend('wasm'))) throw new Error('its wasm backend did not start');
  const forward = network(tf, base, (shape, sd) => tf.tensor(noise(product(shape), sd), shape));
  const x = tf.tensor(noise(product(size)), [...size, 1]);
  return timed(async () => {
    const y = tf.tidy(() => forward(x));
    const values = await y.data();
    y.dispose();
    return values;
  }, size);
}
