/** The contestants outside the browser. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { root } from '../tools.mjs';
import { here, model, python, targetFolder } from './made.mjs';

/** onnxruntime for Python: one process that answers every line with milliseconds, measured as `insitu bench` does. */
export async function onnxruntime({ base, size, threads }) {
  const file = join(root, await model({ base, size }));
  const interpreter = await python('onnxruntime', 'numpy');
  const child = spawn(interpreter, [join(here, 'native_ort.py'), file, String(threads)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.on('error', () => {}); // then its output ends, which is what we look at
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('native_ort.py ended early');
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

/** Our own command: each turn is a process that warms up and gives the median of five forward passes of its own. */
export async function insituBench({ base, size, threads }) {
  const command = join(targetFolder(), 'release', 'insitu');
  if (!existsSync(command)) throw new Error(`there is no ${command}: cargo build --release --features cli`);
  const args = ['bench', '--base', base, '--size', ...size, '--backend', 'cpu', '--threads', threads, '--json'].map(String);
  return {
    async turn() {
      const { stdout } = await promisify(execFile)(command, args).catch(({ stderr, message }) => {
        throw new Error(stderr || message);
      });
      return JSON.parse(stdout).forward_ms;
    },
    close() {},
  };
}
