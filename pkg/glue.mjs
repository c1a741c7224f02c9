/** Puts pkg/threads.js in the place of wasm-bindgen-rayon's helper, whose workers start themselves by name: Turbopack follows them for ever. */
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const threads = fileURLToPath(new URL('threads.js', import.meta.url));

/** @param {string} folder of the generated code, such as pkg/wasm/threads */
export function useOwnThreads(folder) {
  const snippets = join(folder, 'snippets');
  const [crate] = readdirSync(snippets).filter((name) => name.startsWith('wasm-bindgen-rayon-'));
  if (!crate) throw new Error(`${snippets}: expected the helper of wasm-bindgen-rayon, found none`);
  const helper = join(snippets, crate, 'src');
  const own = relative(helper, threads).split(sep).join('/');
  const lines = [`import { startWorkersOf } from '${own}';`, `export const startWorkers = startWorkersOf('${basename(folder)}');`];
  writeFileSync(join(helper, 'workerHelpers.js'), `${lines.join('\n')}\n`);
}
