#!/usr/bin/env node
/** `npm run release-check`: the engine as it is published, and whether each of its modules is small enough to be fetched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root, run } from './tools.mjs';

/** The most that a module may take on its way, gzip -9, MB; weights are not counted. */
const LIMITS = { gpu: 3.0, cpu: 1.5, threads: 1.5, 'cpu-relaxed': 1.5, 'threads-relaxed': 1.5, burn: 3.0 };

const megabytes = (bytes) => bytes / 1e6;

if (!(await run(process.execPath, ['pkg/build.mjs', '--opt']))) process.exit(1);
const faults = [];
console.log('module           MB raw  MB gzip -9  at most');
for (const [name, limit] of Object.entries(LIMITS)) {
  let wasm;
  try {
    wasm = readFileSync(join(root, 'pkg/wasm', name, 'insitu_seg_bg.wasm'));
  } catch {
    faults.push(`${name}: not built`);
    continue;
  }
  const packed = megabytes(gzipSync(wasm, { level: 9 }).length);
  console.log(
    `${name.padEnd(16)} ${megabytes(wasm.length).toFixed(2).padStart(6)}  ${packed.toFixed(3).padStart(10)}  ${limit.toFixed(1).padStart(7)}`,
  );
  if (packed > limit) faults.push(`${name}: found ${packed.toFixed(3)} MB, expected at most ${limit} MB`);
}
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
