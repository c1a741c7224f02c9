/**
 * Every fault that the tests make. A case is { name, options, plans | every | routes | act, expect }:
 *   options  of the segmenter; `hardware` lets the software adapter pass for a real one, so that 'auto' takes it
 *   plans    of the workers in the order in which they are made (inject.js); `every`: of all of them
 *   routes   { path: how its request fails }, from the beginning; `once`: the first request only
 *   act      what the caller does: { abort | dispose: a share of the run, abortAt | disposeAt: a stage }
 *   tune     the run is a tuning, and a mask of the tuned model
 *   trainer  who learns in it; the engine where nothing is said
 *   expect   'mask', or the code of the error; `start`: the segmenter itself is refused with it
 *   after    the backend that the run ends on
 */

/** Where in a call a fault comes, as a share of its events. */
const SHARES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1];
/** The calls of an engine, with the events that they have. */
const POINTS = [
  ['start', [0, 0.5, 1]],
  ['segment', SHARES],
  // How a tuning is cut into submits goes with the time that they take: the last of one is not that of another.
  ['tune', [0, 0.3, 0.6, 0.9]],
];
/** What is done where a fault is made in a call. */
const during = (call) => (call === 'tune' ? { tune: true } : {});
export const percent = (share) => `${Math.round(100 * share)} %`;

const forEachPoint = (make) => POINTS.flatMap(([call, shares]) => shares.map((share) => make(call, share)));

/** How a GPU fails once. */
export const ONCE = ['lose', 'validation', 'memory', 'throw', 'submit throws', 'die'];

/** A GPU that fails once, in the middle of something: the run is made again. */
const transient = ONCE.flatMap((kind) =>
  forEachPoint((call, share) => ({
    name: `${kind}, at ${percent(share)} of the submits of ${call}`,
    options: { backend: 'webgpu' },
    plans: [{ kind, call, submits: share }],
    ...during(call),
    expect: 'mask',
    after: 'webgpu',
  })),
);

const readback = Object.entries({ segment: [0, 0.5, 1], tune: [0, 0.5, 0.9] }).flatMap(([call, shares]) =>
  shares.map((share) => ({
    name: `a buffer that is not given back, the one at ${percent(share)} of ${call}`,
    options: { backend: 'webgpu' },
    plans: [{ kind: 'readback', call, maps: share }],
    ...during(call),
    expect: 'mask',
    after: 'webgpu',
  })),
);

const shaders = [0, 0.3, 0.6, 1].map((share) => ({
  name: `a broken shader, the one at ${percent(share)} of start`,
  options: { backend: 'webgpu' },
  plans: [{ kind: 'shader', call: 'start', shaders: share }],
  expect: 'mask',
  after: 'webgpu',
}));

/** A GPU that fails every time: 'auto' ends on the CPU, 'webgpu' in an error. */
const forever = [
  ...['no adapter', 'adapter throws', 'no device'].flatMap((kind) => [
    {
      name: `${kind}, in every worker, where the GPU may be left`,
      options: { backend: 'auto', hardware: true },
      every: { kind },
      expect: 'mask',
      after: 'cpu',
    },
    {
      name: `${kind}, in every worker, where the GPU is wanted`,
      options: { backend: 'webgpu' },
      every: { kind },
      start: true,
      expect: 'device',
    },
  ]),
  {
    name: 'a broken shader in every worker',
    options: { backend: 'auto', hardware: true },
    every: { kind: 'shader', n: 0 },
    expect: 'mask',
    after: 'cpu',
  },
  {
    name: 'a device that is lost in every run, where the GPU may be left',
    options: { backend: 'auto', hardware: true },
    every: { kind: 'lose', call: 'segment', submits: 0.5 },
    expect: 'mask',
    after: 'cpu',
    slow: true,
  },
  {
    name: 'a device that is lost in every run, where the GPU is wanted',
    options: { backend: 'webgpu' },
    every: { kind: 'lose', call: 'segment', submits: 0.2 },
    expect: 'device',
    slow: true,
  },
  {
    name: 'a worker that fails in every run',
    options: { backend: 'webgpu' },
    every: { kind: 'throw', call: 'segment', submits: 0.2 },
    expect: 'internal',
  },
  {
    name: 'limits that are the least of WebGPU’s',
    options: { backend: 'webgpu' },
    every: { kind: 'small limits' },
    expect: 'mask',
    after: 'webgpu',
  },
  {
    name: 'no locks, by which the death of a worker is heard',
    options: { backend: 'webgpu' },
    every: { kind: 'no locks' },
    expect: 'mask',
    after: 'webgpu',
  },
];

/** A worker that is killed, which nobody is told: at a message of the call, or as soon as it is asked. */
const killed = ['cpu', 'webgpu'].flatMap((backend) =>
  [
    ['load', 'at once'],
    ['start', 'at once'],
    ['segment', 'at once'],
    ['segment', 0],
    ['segment', 2],
    ['segment', 5],
    ['tune', 'at once'],
    ['tune', 4],
  ].map(([call, n]) => ({
    name: `a worker killed in ${call}, ${n === 'at once' ? n : `after message ${n}`} (${backend})`,
    options: { backend },
    plans: [{ kind: 'kill', call, n }],
    ...during(call),
    expect: 'mask',
    after: backend,
  })),
);

/** Twice is once too often for a worker that dies on the CPU: it may be the image. */
const killedAgain = [
  { name: 'a worker killed twice', options: { backend: 'cpu' }, every: { kind: 'kill', call: 'segment', n: 0 }, expect: 'internal' },
  {
    name: 'a worker whose script is not there',
    options: { backend: 'cpu' },
    every: { url: '/nowhere/worker.js' },
    start: true,
    expect: 'io',
  },
  {
    name: 'a worker whose script is a web page',
    options: { backend: 'cpu' },
    every: { url: '/page/worker.js' },
    start: true,
    expect: 'io',
  },
  {
    name: 'a worker whose script does not parse',
    options: { backend: 'cpu' },
    every: { url: '/broken/worker.js' },
    start: true,
    expect: 'io',
  },
];

const BAD_FILES = {
  'is not there': 'missing',
  'is a web page': 'page',
  'is cut short': 'cut',
  'has a wrong bit': 'bit',
  'is not sent': 'hang up',
};
const FILES = {
  'model.json': ['/tiny/model.json', { missing: 'io', page: 'io', cut: 'malformed', 'hang up': 'io' }],
  'the weights': ['/tiny/patch-0.safetensors', { missing: 'io', page: 'io', cut: 'malformed', bit: 'malformed', 'hang up': 'io' }],
  'the wasm': ['/wasm/cpu/insitu_seg_bg.wasm', { missing: 'io', page: 'io', cut: 'unsupported', 'hang up': 'io' }],
  'the code': ['/wasm/cpu/insitu_seg.js', { missing: 'io', page: 'io', cut: 'io', 'hang up': 'io' }],
};
const files = Object.entries(FILES).flatMap(([what, [path, codes]]) =>
  Object.entries(BAD_FILES).flatMap(([words, how]) => {
    if (!(how in codes)) return [];
    const options = { backend: 'cpu', relaxedSimd: false };
    return [{ name: `${what} ${words}`, options, routes: { [path]: how }, start: true, expect: codes[how] }];
  }),
);
const relaxedFiles = ['missing', 'page', 'cut'].map((how) => ({
  name: `the wasm with relaxed SIMD is ${how}`,
  options: { backend: 'cpu' },
  routes: { '/wasm/cpu-relaxed/insitu_seg_bg.wasm': how },
  expect: 'mask',
  after: 'cpu',
}));
const gpuFiles = ['missing', 'page', 'cut'].map((how) => ({
  name: `the wasm of the GPU is ${how}`,
  options: { backend: 'auto', hardware: true },
  routes: { '/wasm/gpu/insitu_seg_bg.wasm': how },
  expect: 'mask',
  after: 'cpu',
}));

const SHARES_OF_CALLER = [0, 0.3, 0.6];
const caller = ['cpu', 'webgpu'].flatMap((backend) =>
  SHARES_OF_CALLER.flatMap((share) => [
    { name: `abort at ${percent(share)} of the run (${backend})`, options: { backend }, act: { abort: share }, expect: 'cancelled' },
    {
      name: `dispose at ${percent(share)} of the run (${backend})`,
      options: { backend },
      act: { dispose: share },
      expect: 'cancelled',
      disposed: true,
    },
  ]),
);
/** A tuning that is ended leaves the model as it was: the mask after it is that of the untuned one. */
const callerInTuning = ['cpu', 'webgpu'].flatMap((backend) =>
  ['before', 'patch'].flatMap((stage) => [
    {
      name: `abort in the stage ‘${stage}’ of tune (${backend})`,
      options: { backend },
      tune: true,
      act: { abortAt: stage },
      expect: 'cancelled',
    },
    {
      name: `dispose in the stage ‘${stage}’ of tune (${backend})`,
      options: { backend },
      tune: true,
      act: { disposeAt: stage },
      expect: 'cancelled',
      disposed: true,
    },
  ]),
);
const callerInRecovery = [
  {
    name: 'abort while a lost GPU is waited for',
    options: { backend: 'webgpu' },
    every: { kind: 'lose', call: 'segment', submits: 0.5 },
    act: { abortAt: 'recover' },
    expect: 'cancelled',
    next: 'skip',
  },
  {
    name: 'dispose while a lost GPU is waited for',
    options: { backend: 'webgpu' },
    every: { kind: 'lose', call: 'segment', submits: 0.5 },
    act: { disposeAt: 'recover' },
    expect: 'cancelled',
    disposed: true,
  },
];

export const MATRIX = [
  ...transient,
  ...readback,
  ...shaders,
  ...forever,
  ...killed,
  ...killedAgain,
  ...files,
  ...gpuFiles,
  ...caller,
  ...callerInTuning,
  ...callerInRecovery,
  ...relaxedFiles,
];

/** Some of every kind, for every day. */
export const EVERY_DAY = MATRIX.filter(({ slow }, i) => !slow && i % 12 === 0);
