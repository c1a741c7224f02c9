/** What the contestants need on disk, made when missing: the peers' packages, the network as ONNX, the module on burn. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindgen } from '../../pkg/bindgen.mjs';
import { ask, root, run } from '../tools.mjs';

export const here = fileURLToPath(new URL('.', import.meta.url));
const made = join(here, 'made');
const reference = join(root, '..', 'shared', 'tools', 'reference_onnx.py');

/** The peers' packages: { name: version }. */
export const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));

/** Runs a command with its words kept off our table; throws where it fails. */
async function must(command, args, more = {}) {
  if (!(await run(command, args, { stdio: ['ignore', 2, 2], ...more })))
    throw new Error(`\`${command} ${args.slice(0, 3).join(' ')}\` failed`);
}

/** Installs the packages where one is missing or of another version. */
export async function peers() {
  const version = (name) => {
    const file = join(here, 'node_modules', name, 'package.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : null;
  };
  if (Object.entries(dependencies).every(([name, wanted]) => version(name) === wanted)) return;
  await must('npm', ['install', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: here });
}

/** A Python that has these modules: the machine's, or one of our own. */
export async function python(...modules) {
  const own = join(made, 'venv', 'bin', 'python');
  const found = ['python3', own].find((path) => ask(path, ['-c', `import ${modules.join(', ')}`]) !== null);
  if (found) return found;
  await must('python3', ['-m', 'venv', join(made, 'venv')]);
  await must(own, ['-m', 'pip', 'install', '-q', ...modules]);
  return own;
}

/** The network as an ONNX file; its path from the root. */
export async function model({ base, size, rewriteUp = false }) {
  const file = join(made, `net-${base}-${size.join('x')}${rewriteUp ? '-up' : ''}.onnx`);
  if (!existsSync(file)) {
    if (!existsSync(reference)) throw new Error('there is no ../shared/tools/reference_onnx.py');
    mkdirSync(made, { recursive: true });
    const args = ['--base', String(base), '--size', ...size.map(String), '--out', file, ...(rewriteUp ? ['--rewrite-up'] : [])];
    await must(await python('onnx', 'numpy'), [reference, ...args]);
  }
  return file.slice(root.length);
}

/** Where cargo puts what it builds. */
export function targetFolder() {
  const metadata = ask('cargo', ['metadata', '--format-version', '1', '--no-deps']);
  if (!metadata) throw new Error('`cargo metadata` failed');
  return JSON.parse(metadata).target_directory;
}

/** The crate as a browser module that runs on burn's own WebGPU kernels; built again when src/ is newer. */
export async function burnModule() {
  const folder = join(made, 'burn');
  const wasm = join(folder, 'insitu_seg_bg.wasm');
  const sources = readdirSync(join(root, 'src'), { recursive: true }).map((file) => statSync(join(root, 'src', file)).mtimeMs);
  if (existsSync(wasm) && statSync(wasm).mtimeMs > Math.max(...sources)) return;
  const target = 'wasm32-unknown-unknown';
  await must('cargo', ['rustc', '--release', '--lib', '--crate-type', 'cdylib', '--target', target, '--features', 'web,burn']);
  const built = join(targetFolder(), target, 'release', 'insitu_seg.wasm');
  await must('cargo', bindgen(targetFolder(), built, folder));
}
