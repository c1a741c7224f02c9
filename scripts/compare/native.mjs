/** The contestants outside the browser. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { root } from '../tools.mjs';
import { here, model, python, targetFolder } from './made.mjs';

/** A Python program that says its version, then answers every line with milliseconds. */
async function program(interpreter, args) {
  const child = spawn(interpreter, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.on('error', () => {}); // then its output ends, which is what we look at
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${args[0]} ended early`);
    return value;
  };
  const version = await answer();
  return {
    version,
    turn() {
      child.stdin.write('run\n');
      return answer().then(Number);
    },
    close: () => child.kill(),
  };
}

const network = join(root, '..', 'shared', 'data', 'reference', 'network', 'net.py');

/** onnxruntime for Python, measured as `insitu bench` does. */
export async function onnxruntime({ base, size, threads }) {
  const file = join(root, await model({ base, size }));
  return program(await python('onnxruntime', 'numpy'), [join(here, 'native_ort.py'), file, String(threads)]);
}

/** A training step of Keras on TensorFlow, measured as `insitu bench --train` does. */
export async function kerasOnTensorFlow({ base, size, threads, batch }) {
  if (!existsSync(network)) throw new Error('there is no ../shared/data/reference/network/net.py');
  const args = [join(here, 'native_keras.py'), dirname(network), base, batch, threads, ...size].map(String);
  return program(await python('tensorflow', 'keras'), args);
}

/** Our own command: each turn is a process that warms up and gives the median of five forward passes of its own. */
export async function insituBench({ base, size, threads, train, batch }) {
  const command = join(targetFolder(), 'release', 'insitu');
  if (!existsSync(command)) throw new Error(`there is no ${command}: cargo build --release --features cli`);
  const args = [
    'bench',
    '--base',
    base,
    '--size',
    ...size,
    '--backend',
    'cpu',
    '--threads',
    threads,
    '--json',
    ...(train ? ['--train', '--batch', batch] : []),
  ].map(String);
  return {
    async turn() {
      const { stdout } = await promisify(execFile)(command, args).catch(({ stderr, message }) => {
        throw new Error(stderr || message);
      });
      return JSON.parse(stdout)[train ? 'train_ms' : 'forward_ms'];
    },
    close() {},
  };
}
