/** What the package refuses, each with its code and a sentence, in a page that imports /index.js. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EMPTY_PAGE } from './empty-page.mjs';
import { packagePage } from './package-page.mjs';

describe('the package refuses', () => {
  const at = packagePage({
    '/lost/wasm/cpu/insitu_seg_bg.wasm': EMPTY_PAGE,
    '/lost/wasm/cpu-relaxed/insitu_seg_bg.wasm': EMPTY_PAGE,
  });

  const network = { base: 4, size: [8, 8, 8], backend: 'cpu' };
  const refusedBenchmarks = {
    'a side of 0': ['argument', { ...network, size: [8, 0, 8] }],
    'a side below 8': ['argument', { ...network, size: [8, 7, 8] }],
    'half a voxel': ['argument', { ...network, size: [8, 8.5, 8] }],
    'two sides': ['argument', { ...network, size: [8, 8] }],
    'no size': ['argument', { base: 4 }],
    'a base of 0': ['argument', { ...network, base: 0 }],
    'a base over 256': ['argument', { ...network, base: 257 }],
    'no runs': ['argument', { ...network, runs: 0 }],
    'an unknown backend': ['argument', { ...network, backend: 'tpu' }],
    'half a thread': ['argument', { ...network, threads: 0.5 }],
  };
  for (const [what, [code, options]] of Object.entries(refusedBenchmarks)) {
    it(`to measure ${what} as '${code}'`, async () => {
      const error = await at.page.evaluate((options) => t.refusal(t.benchmark(options)), options);
      assert.equal(error?.code, code, error?.message);
      assert.match(error.message, /^[^\n]+\.$/);
    });
  }

  const refusals = {
    'half a pair': ['argument', () => t.refusal(t.segmenter.segment({ hdr: new Blob() }))],
    'an empty pair': ['malformed', () => t.refusal(t.segmenter.segment({ hdr: new Blob(), img: new Blob() }))],
    'an image over the memory budget': [
      'limit',
      async () => {
        const small = await t.createSegmenter({ backend: 'cpu', maxBytes: 1000 });
        return t.refusal(small.inspect(t.bytes)).finally(() => small.dispose());
      },
    ],
    'a number for an image': ['argument', () => t.refusal(t.segmenter.segment(7))],
    'a text for an image': ['malformed', () => t.refusal(t.segmenter.segment(new TextEncoder().encode('no image'.repeat(100))))],
    'a signal that is already aborted': ['cancelled', () => t.refusal(t.segmenter.segment(t.bytes, { signal: AbortSignal.abort() }))],
    'a web page where the wasm should be': ['io', () => t.refusal(t.createSegmenter({ backend: 'cpu', assets: '/lost' }))],
    'a model that is not there': ['io', () => t.refusal(t.createSegmenter({ backend: 'cpu', model: 'pancreas' }))],
    'a card that is no card': [
      'malformed',
      () => t.refusal(t.createSegmenter({ backend: 'cpu', model: [new TextEncoder().encode('{}')] })),
    ],
    'files without a card': [
      'argument',
      () => t.refusal(t.createSegmenter({ backend: 'cpu', model: { 'a.safetensors': new Uint8Array(9) } })),
    ],
    'files of half a model': [
      'argument',
      async () => {
        const card = new Uint8Array(await (await fetch('/models/hippocampus/model.json')).arrayBuffer());
        return t.refusal(t.createSegmenter({ backend: 'cpu', model: { 'model.json': card } }));
      },
    ],
    'a missing weight file': [
      'argument',
      async () => {
        const card = new Uint8Array(await (await fetch('/models/hippocampus/model.json')).arrayBuffer());
        return t.refusal(t.createSegmenter({ backend: 'cpu', model: [card] }));
      },
    ],
  };
  for (const [what, [code, attempt]] of Object.entries(refusals)) {
    it(`${what} as '${code}'`, async () => {
      const error = await at.page.evaluate(attempt);
      assert.equal(error?.code, code, error?.message);
      assert.match(error.message, /\.$/);
    });
  }
});
