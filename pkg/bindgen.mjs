/** The tool that writes a module for the web, as the command `wasm-bindgen` does (scripts/bindgen). */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const manifest = fileURLToPath(new URL('../scripts/bindgen/Cargo.toml', import.meta.url));

/** What cargo is called with, to build the tool where it is missing and run it. @param {string} target cargo's folder for what it builds @param {string} wasm @param {string} folder for the module and its JavaScript */
export const bindgen = (target, wasm, folder) => [
  'run',
  '--quiet',
  ...['--manifest-path', manifest],
  ...['--target-dir', join(target, 'bindgen')],
  ...['--', wasm, folder],
];
