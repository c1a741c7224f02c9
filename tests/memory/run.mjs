#!/usr/bin/env node
/**
 * `npm run test:memory`: what large files take in a tab, on one CPU thread of headless Chromium.
 *
 *   noise   512 x 512 x 600 voxels of 0.5 mm, 16-bit noise that does not pack: a .nii.gz of 300 MB, one object in a given box
 *   head    the page's sample head amid air, 256^3 voxels of 1 mm, 16 bits
 *   box     the same in a given box that is all of it
 *   object  the same by the networks for crops, which see all of it at up to 5.8 million voxels
 *
 *   -- noise head      these only
 *   -- --pkg FOLDER    another checkout's package, to be compared with: its masks must have the same hashes
 *
 * Peak is the renderer's largest resident memory (page, worker and wasm; Linux tells it), wasm what the engine's report says.
 */
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createGzip, gunzipSync } from 'node:zlib';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from '../web/browser.mjs';
import { EMPTY_PAGE } from '../web/empty-page.mjs';

const MIB = 2 ** 20;

/** A NIfTI-1 header of 16-bit integers, up to the voxels. */
function header(dims, mm) {
  const bytes = Buffer.alloc(352);
  bytes.writeInt32LE(348, 0);
  [3, ...dims, 1, 1, 1, 1].forEach((n, i) => bytes.writeInt16LE(n, 40 + 2 * i));
  bytes.writeInt16LE(4, 70);
  bytes.writeInt16LE(16, 72);
  [1, mm, mm, mm].forEach((n, i) => bytes.writeFloatLE(n, 76 + 4 * i));
  bytes.writeFloatLE(352, 108);
  bytes.writeFloatLE(1, 112);
  bytes[123] = 2;
  bytes.writeInt16LE(1, 254);
  for (let axis = 0; axis < 3; axis++) bytes.writeFloatLE(mm, 280 + 20 * axis);
  bytes.write('n+1\0', 344, 'latin1');
  return bytes;
}

/** Writes a packed file, a part at a time. */
async function pack(path, parts) {
  const gzip = createGzip({ level: 1 });
  const written = once(gzip.pipe(createWriteStream(path)), 'finish');
  for (const part of parts) if (!gzip.write(part)) await once(gzip, 'drain');
  gzip.end();
  await written;
}

/** Noise of 16 bits by a generator that is always the same. */
function* noise(dims) {
  yield header(dims, 0.5);
  let state = 1;
  const plane = new Uint16Array(dims[0] * dims[1]);
  for (let z = 0; z < dims[2]; z++) {
    for (let i = 0; i < plane.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      plane[i] = (state >>> 16) ^ (i * 40503);
    }
    yield Buffer.from(plane.buffer.slice(0));
  }
}

/** The sample head amid air. */
function* head(side) {
  const file = gunzipSync(readFileSync(join(root, 'www/samples/head/image.nii.gz')));
  const [nx, ny, nz] = [42, 44, 46].map((at) => file.readInt16LE(at));
  const start = file.readFloatLE(108);
  const first = [nx, ny, nz].map((n) => Math.floor((side - n) / 2));
  yield header([side, side, side], 1);
  for (let z = 0; z < side; z++) {
    const plane = new Int16Array(side * side);
    for (let y = 0; y < ny && z >= first[2] && z < first[2] + nz; y++) {
      const row = start + nx * (y + ny * (z - first[2]));
      plane.set(file.subarray(row, row + nx), first[0] + side * (first[1] + y));
    }
    yield Buffer.from(plane.buffer);
  }
}

const CASES = {
  noise: {
    parts: () => noise([512, 512, 600]),
    options: { boxes: { left: { start: [200, 220, 260], end: [280, 320, 360] } }, only: true },
  },
  head: { parts: () => head(256), options: {} },
  box: { parts: () => head(256), options: { boxes: { left: { start: [0, 0, 0], end: [256, 256, 256] } }, only: true } },
  object: { parts: () => head(256), options: { box: { start: [0, 0, 0], end: [256, 256, 256] } }, scan: false },
};

/** The largest resident memory of the renderer, bytes. */
async function peakOf(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const peaks = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => `/proc/${id}/status`)
    .filter(existsSync)
    .map((path) => 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? 0));
  return Math.max(0, ...peaks);
}

async function measure(name, path, pkg) {
  const server = await serve(pkg, { extra: { '/': `${EMPTY_PAGE}<input type="file">` } });
  const browser = await launch({ webgpu: false });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(600_000);
    await page.goto(server.url);
    await page.locator('input').setInputFiles(path);
    await page.evaluate(
      async ({ scan = true }) => {
        const { createSegmenter } = await import('/index.js');
        const fetched = async (name) => new Uint8Array(await (await fetch(`/models/hippocampus/${name}`)).arrayBuffer());
        const { scan: _, ...card } = JSON.parse(new TextDecoder().decode(await fetched('model.json')));
        const folds = Object.values(card.stages).flatMap((stage) => stage.folds.map(({ file }) => file));
        const files = Object.values(card.reference ?? {}).flatMap(({ file }) => file ?? []);
        const crops = async () =>
          Object.fromEntries([
            ['model.json', new TextEncoder().encode(JSON.stringify(card))],
            ...(await Promise.all([...folds, ...files].map(async (name) => [name, await fetched(name)]))),
          ]);
        window.segmenter = await createSegmenter({
          model: scan ? 'hippocampus' : await crops(),
          backend: 'cpu',
          threads: 1,
          prefetch: true,
        });
      },
      { scan: CASES[name].scan },
    );
    const before = await peakOf(browser);
    const found = await page.evaluate(async (options) => {
      const [file] = document.querySelector('input').files;
      const { labels, warnings, report } = await window.segmenter.segment(file, options);
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', labels));
      const { wasmBytes, ms, timings, measures } = report;
      return { hash: [...hash], marked: labels.filter((l) => l > 0).length, warnings, wasmBytes, ms, timings, measures };
    }, CASES[name].options);
    return { ...found, hash: Buffer.from(found.hash).toString('hex').slice(0, 16), before, peak: await peakOf(browser) };
  } finally {
    await browser.close();
    await server.close();
  }
}

const given = process.argv.slice(2);
const at = given.indexOf('--pkg');
const pkg = at < 0 ? join(root, 'pkg') : resolve(given.splice(at, 2)[1]);
const folder = mkdtempSync(join(tmpdir(), 'insitu-memory-'));
try {
  for (const name of given.length > 0 ? given : Object.keys(CASES)) {
    const path = join(folder, `${name}.nii.gz`);
    await pack(path, CASES[name].parts());
    const { hash, marked, before, peak, wasmBytes, ms, measures, timings } = await measure(name, path, pkg);
    const mib = (bytes) => `${Math.round(bytes / MIB)} MiB`;
    console.log(
      `${name}: file ${mib(statSync(path).size)}, renderer ${mib(before)} -> ${mib(peak)}, wasm ${mib(wasmBytes)}, ${(ms / 1000).toFixed(1)} s, mask ${hash} (${marked} voxels)`,
    );
    console.log(`  ${JSON.stringify(measures ?? timings)}`);
    rmSync(path);
  }
} finally {
  rmSync(folder, { recursive: true });
}
