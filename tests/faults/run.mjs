/** Makes one fault after the other in headless Chromium, and holds each run to the mask of the CPU. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { cannotRun } from '../not-run.mjs';
import { launch, serve } from '../web/browser.mjs';
import { nativeCommand, phantomFiles } from './model.mjs';

const EMPTY_PAGE = '<!doctype html><html lang="en"><title>faults</title><link rel="icon" href="data:,"></html>';
/** Nobody waits longer than this without news, milliseconds. */
const MOST_SILENCE = 15_000;
/** Voxels of the 32^3 that the GPU may label otherwise than the CPU: its sums are in another order. */
const GPU_DIFFERS = 3;
const command = nativeCommand();
const script = (body) => ({ type: 'text/javascript', body });

let server;
let browser;
/** Counts of events of a clean run, by backend and call, by which a share becomes a number; `burn`: on WebGPU, tuned by burn. */
const counts = {};

/** Describes tests that have the server, a browser started with `more` arguments, and the small model. */
export function withBrowser(title, more, tests, kinds = ['cpu', 'webgpu']) {
  describe(title, {
    skip: !command && cannotRun(title, 'build', 'the native command is not built (cargo build --release --features cli)'),
  }, () => {
    before(() => start(more, kinds));
    after(async () => {
      await browser?.close();
      await server?.close();
    });
    tests();
  });
}

/** Describes the cases of a matrix, as tests. */
export const testFaults = (title, matrix) =>
  withBrowser(
    title,
    [],
    () => {
      for (const fault of matrix) it(fault.name, (t) => runCase(t, fault));
    },
    ['cpu', 'webgpu', ...(matrix.some(({ trainer }) => trainer === 'burn') ? ['burn'] : [])],
  );

async function start(more, kinds) {
  server = await serve(join(root, 'pkg'), {
    extra: {
      '/': EMPTY_PAGE,
      '/inject.js': script(readFileSync(join(root, 'tests/faults/inject.js'))),
      '/faulty-worker.js': script("import './inject.js';\nimport './worker.js';\n"),
      '/broken/worker.js': script('this is no script'),
      '/page/worker.js': EMPTY_PAGE,
      ...phantomFiles(command),
    },
  });
  browser = await launch({ more });
  // Of both browsers the clean runs are the same.
  if (counts.webgpu) return;
  for (const kind of kinds) {
    counts[kind] = await cleanRun(kind);
    assert.ok(counts[kind].accepted, counts[kind].reason);
    assert.ok(differing(counts[kind].labels, counts[kind].tuned) > GPU_DIFFERS, 'tuning changes too little for the tests to mean anything');
  }
  const [cpu, webgpu] = [counts.cpu.labels, counts.webgpu.labels];
  assert.ok(cpu.filter(Boolean).length > 200, 'the model sees too little for the tests to mean anything');
  assert.ok(differing(cpu, webgpu) <= GPU_DIFFERS, `${differing(cpu, webgpu)} voxels differ between CPU and GPU`);
}

/** What a run and a tuning without a fault count, and their masks. */
async function cleanRun(kind) {
  const page = await open({});
  const found = await page.evaluate(
    async ([backend, trainer]) => {
      t.workers.every({});
      const segmenter = await t.createSegmenter({ model: '/tiny/', backend });
      const { labels } = await segmenter.segment(t.image);
      while (!t.heard.counts.segment) await new Promise((resolve) => setTimeout(resolve, 10));
      const seen = { ...t.heard.counts };
      // Of an engine that has done nothing else, as each tuning of the matrix is.
      const fresh = await t.createSegmenter({ model: '/tiny/', backend });
      const { accepted, reason } = await fresh.tune(t.tuning[0], { ...t.tuning[1], trainer });
      while (!t.heard.counts.tune) await new Promise((resolve) => setTimeout(resolve, 10));
      seen.tune = t.heard.counts.tune;
      const tuned = await fresh.segment(t.image);
      return { ...seen, labels: Array.from(labels), tuned: Array.from(tuned.labels), accepted, reason };
    },
    kind === 'burn' ? ['webgpu', 'burn'] : [kind, 'engine'],
  );
  await page.context().close();
  return found;
}

const differing = (a, b) => a.reduce((sum, label, i) => sum + (label !== b[i]), 0);

/** A page of a browser context of its own, with what the cases need under window.t. */
export async function open({ hardware = false, routes = {} }) {
  const context = await browser.newContext();
  for (const [path, how] of Object.entries(routes))
    await context.route(
      (url) => url.pathname === path,
      (route) => spoil(route, how),
    );
  const page = await context.newPage();
  await page.goto(server.url);
  await page.evaluate(async (hardware) => {
    const { listen, planWorkers, pretendHardware } = await import('/inject.js');
    if (hardware) pretendHardware();
    const { createSegmenter } = await import('/index.js');
    const blob = async (path) => (await fetch(path)).blob();
    const [image, labels] = [await blob('/phantom/image.nii.gz'), await blob('/phantom/label.nii.gz')];
    const heard = listen();
    const tuning = [[{ image, labels, name: 'image' }], { steps: 2, rate: 3e-3, minGain: 0, minAgreement: 0 }];
    window.t = { createSegmenter, image, tuning, workers: planWorkers(heard), heard };
  }, hardware);
  return page;
}

async function spoil(route, how) {
  if (how === 'hang up') return route.abort('connectionreset');
  if (how === 'missing') return route.fulfill({ status: 404 });
  if (how === 'page') return route.fulfill({ contentType: 'text/html', body: EMPTY_PAGE });
  const response = await route.fetch();
  const body = Buffer.from(await response.body());
  if (how === 'bit') body[body.length - 100] ^= 4;
  return route.fulfill({ response, body: how === 'cut' ? body.subarray(0, body.length >> 1) : body });
}

/** A plan's share of the events of a call as the number of one of them. */
function numbered(plan, kind) {
  if (!plan) return plan;
  const counter = ['submits', 'maps', 'shaders'].find((name) => name in plan);
  if (!counter) return plan;
  const { [plan.call]: seen } = counts[kind];
  return { ...plan, n: Math.round(plan[counter] * (seen[counter] - 1)) };
}

async function runCase(t, { options, plans = [], every = null, routes, act = {}, tune = false, trainer = 'engine', ...expected }) {
  const { hardware, ...asked } = options;
  const page = await open({ hardware, routes });
  const kind = trainer === 'burn' ? 'burn' : options.backend === 'auto' ? 'webgpu' : options.backend;
  const number = (plan) => numbered(plan, kind);
  const given = { asked, plans: plans.map(number), every: number(every), act, tune: tune && trainer };
  const { first, next, silence, fired, refused } = await page.evaluate(attempt, given);
  await page.context().close();

  const faults = [...plans, ...(every ? [every] : [])].filter(({ kind }) => kind);
  if (faults.length > 0) assert.ok(fired.length > 0, 'the fault was not made');
  assert.ok(silence < MOST_SILENCE, `${silence} ms without news`);
  if (expected.start) return assertRefusal(refused, expected.expect);
  assert.equal(refused, null);
  t.diagnostic(
    `${fired.join(', ') || 'no injection'}; ${first.error ? first.error.code : `a mask on ${first.backend}, after ${first.ms} ms`}`,
  );
  // Of a tuning that came to its end both masks are the tuned model's.
  const tuned = tune && expected.expect === 'mask' ? (trainer === 'burn' ? 'burn' : first.backend) : null;
  if (expected.expect === 'mask') {
    assertMask(first, tuned);
    assert.equal(first.backend, expected.after);
  } else {
    assertRefusal(first.error, expected.expect);
  }
  if (expected.disposed) assertRefusal(next.error, 'argument');
  else assertMask(next, tuned);
}

/** `tuned`: by whom, or on which backend; null of a model as it came. */
export function assertMask({ error, labels, backend }, tuned = null) {
  assert.equal(error, undefined);
  assert.equal(labels.length, counts.cpu.labels.length);
  assert.equal(
    differing(labels, tuned ? counts[tuned].tuned : counts[backend].labels),
    0,
    `voxels differ from the mask of a clean run on ${backend}`,
  );
  if (tuned) return;
  assert.ok(differing(labels, counts.cpu.labels) <= GPU_DIFFERS, 'voxels differ from the mask of the CPU');
}

function assertRefusal(error, code) {
  assert.equal(error?.code, code, error?.message);
  assert.match(error.message, /^[^\n]+\.$/);
}

/** In the page: the run with its fault, then one without; and how long the longest silence was. */
async function attempt({ asked, plans, every, act, tune }) {
  const { createSegmenter, workers, heard, image } = t;
  let [heardAt, silence] = [performance.now(), 0];
  const news = () => {
    silence = Math.max(silence, performance.now() - heardAt);
    heardAt = performance.now();
  };
  const plain = ({ code, message }) => ({ code, message });
  const run = async (segmenter, options, tune) => {
    const started = performance.now();
    const onProgress = (progress) => {
      news();
      options.onProgress?.(progress);
    };
    const heardOf = { ...options, onProgress };
    news();
    try {
      if (tune) await segmenter.tune(t.tuning[0], { ...t.tuning[1], trainer: tune, ...heardOf });
      const { labels, report } = await segmenter.segment(image, tune ? { onProgress: news } : heardOf);
      return { labels: Array.from(labels), backend: report.backend, ms: Math.round(performance.now() - started) };
    } catch (error) {
      return { error: plain(error) };
    } finally {
      news();
    }
  };
  workers.next(...plans);
  workers.every(every);
  let segmenter;
  try {
    segmenter = await createSegmenter({ model: '/tiny/', ...asked, onProgress: news });
  } catch (error) {
    news();
    return { refused: plain(error), fired: heard.fired, silence };
  }
  const control = new AbortController();
  const reached = new Set();
  const onProgress = ({ stage, done, total }) => {
    reached.add(stage);
    const share = tune ? -1 : ({ prepare: 0, whole: 0.1 + (0.4 * done) / total, patch: 0.5 + (0.4 * done) / total }[stage] ?? 0);
    if (share >= act.abort || stage === act.abortAt) control.abort();
    if (share >= act.dispose || stage === act.disposeAt) segmenter.dispose();
  };
  const first = await run(segmenter, { signal: control.signal, onProgress }, tune);
  workers.next();
  workers.every(null);
  const next = await run(segmenter, {});
  segmenter.dispose();
  return { first, next, silence, fired: heard.fired, refused: null };
}
