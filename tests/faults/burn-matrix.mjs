/** What befalls a tuning by burn; what a case is, matrix.mjs says. */
import { ONCE, percent } from './matrix.mjs';

/** The worker that runs and the one that waits for its place: burn's is made after them. */
const beforeBurn = (plan) => [{}, {}, plan];
const tunedByBurn = { options: { backend: 'webgpu' }, tune: true, trainer: 'burn', expect: 'mask', after: 'webgpu' };
const burnFiles = { 'is not there': ['missing', 'io'], 'is a web page': ['page', 'io'], 'is cut short': ['cut', 'unsupported'] };

export const BURN = [
  ...ONCE.flatMap((kind) =>
    [0, 0.3, 0.6, 0.9].map((submits) => ({
      ...tunedByBurn,
      name: `${kind}, at ${percent(submits)} of the submits of a tuning by burn`,
      plans: beforeBurn({ kind, call: 'tune', submits }),
    })),
  ),
  ...[0, 0.5, 0.9].map((maps) => ({
    ...tunedByBurn,
    name: `a buffer that is not given back, the one at ${percent(maps)} of a tuning by burn`,
    plans: beforeBurn({ kind: 'readback', call: 'tune', maps }),
  })),
  ...[0, 0.5, 1].map((shaders) => ({
    ...tunedByBurn,
    name: `a broken shader, the one at ${percent(shaders)} of a tuning by burn`,
    plans: beforeBurn({ kind: 'shader', call: 'tune', shaders }),
  })),
  ...[
    ['load', 'at once'],
    ['start', 'at once'],
    ['tune', 'at once'],
    ['tune', 4],
  ].map(([call, n]) => ({
    ...tunedByBurn,
    name: `burn’s worker killed in ${call}, ${n === 'at once' ? n : `after message ${n}`}`,
    plans: beforeBurn({ kind: 'kill', call, n }),
  })),
  {
    ...tunedByBurn,
    name: 'a device that burn loses in every tuning',
    plans: [{}, {}],
    every: { kind: 'lose', call: 'tune', submits: 0.5 },
    expect: 'device',
  },
  ...Object.entries(burnFiles).map(([words, [how, expect]]) => ({
    ...tunedByBurn,
    name: `the wasm with burn ${words}`,
    routes: { '/wasm/burn/insitu_seg_bg.wasm': how },
    expect,
  })),
  ...['before', 'patch'].flatMap((stage) => [
    { ...tunedByBurn, name: `abort in the stage ‘${stage}’ of a tuning by burn`, act: { abortAt: stage }, expect: 'cancelled' },
    {
      ...tunedByBurn,
      name: `dispose in the stage ‘${stage}’ of a tuning by burn`,
      act: { disposeAt: stage },
      expect: 'cancelled',
      disposed: true,
    },
  ]),
];
