/**
 * Tuning by burn (`trainer: 'burn'`) on WebGPU: its losses are those of the engine's own trainer; what it learned the running engine
 * takes over; its module is fetched for it and not before; and where it cannot be, the answer says why.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nativeCommand, phantomFiles } from '../faults/model.mjs';
import { notRun } from '../not-run.mjs';
import { besideThePackage } from './empty-page.mjs';
import { NO_BURN, practise, step } from './practice.mjs';

const STEPS = 30;
/** What pkg/build.mjs leaves where the module is not built. */
const STAND_IN = `export default () => { throw Object.assign(new Error('this build has no burn'), { code: 'unsupported' }); };`;
/** Whether that is served. */
let isWithout = false;
const code = () => (isWithout ? { type: 'text/javascript', body: STAND_IN } : undefined);

const command = nativeCommand();
const beside = besideThePackage({ extra: { ...(command ? phantomFiles(command) : {}), '/wasm/burn/insitu_seg.js': code } });
const NO_MODEL = command ? null : 'the native command is not built (cargo build --release --features cli)';

async function emptyPage() {
  const page = await beside.browser.newPage();
  await page.goto(beside.server.url);
  return page;
}

/** A page with a segmenter's making, a phantom, its labels, and a refusal as a plain object. */
async function openPhantom() {
  const page = await emptyPage();
  await page.evaluate(async () => {
    const index = await import('/index.js');
    const fetched = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
    const [image, label] = [await fetched('/phantom/image.nii.gz'), await fetched('/phantom/label.nii.gz')];
    const createSegmenter = (options) => index.createSegmenter({ model: '/tiny/', backend: 'webgpu', ...options });
    const reader = await createSegmenter({ backend: 'cpu' });
    const truth = Uint8Array.from((await reader.read(label)).values);
    reader.dispose();
    const agree = (labels) => labels.reduce((sum, l, i) => sum + (l === truth[i] ? 1 : 0), 0);
    const refusal = (promise) =>
      promise.then(
        () => null,
        ({ code, message }) => ({ code, message }),
      );
    const cases = [{ image, labels: truth, name: 'phantom' }];
    window.t = { createSegmenter, image, cases, agree, refusal };
  });
  return page;
}

/** Losses, milliseconds of the steps, and the most bytes of GPU buffers, of a network of base 4 at 24^3. */
async function learn(artifact, steps) {
  const page = await emptyPage();
  await practise(page, { artifact, base: 4, dims: [24, 24, 24] });
  const taken = [];
  while (taken.length < steps) taken.push(await step(page));
  await page.close();
  return { losses: taken.map(({ loss }) => loss), ms: taken.map(({ ms }) => ms), most: taken.at(-1).most };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

describe('tuning by burn', () => {
  it(`${STEPS} losses are those of the engine's own trainer`, async (t) => {
    if (NO_BURN) return notRun(t, 'build', NO_BURN);
    const [own, burn] = [await learn('gpu', STEPS), await learn('burn', STEPS)];
    const off = own.losses.map((loss, i) => Math.abs(loss - burn.losses[i]));
    t.diagnostic(`off by at most ${Math.max(...off).toExponential(1)}: ${burn.losses.map((loss) => loss.toFixed(4)).join(' ')}`);
    t.diagnostic(`a step: ${median(own.ms).toFixed(1)} ms, by burn ${median(burn.ms).toFixed(1)} ms`);
    t.diagnostic(`GPU buffers at most: ${own.most} bytes, by burn ${burn.most}`);
    assert.equal(off.length, STEPS);
    assert.ok(Math.max(...off) < 1e-3, `${own.losses}, by burn ${burn.losses}`);
    assert.ok(burn.losses.at(-1) < burn.losses[0] - 0.05, `${burn.losses}`);
  });

  it('a tuned model is taken over, saved, loaded and reverted; the module is fetched for it and not before', async (t) => {
    if (NO_BURN) return notRun(t, 'build', NO_BURN);
    if (NO_MODEL) return notRun(t, 'build', NO_MODEL);
    const page = await openPhantom();
    const begun = beside.server.requests.length;
    const found = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter();
      const before = await segmenter.segment(t.image);
      const news = [];
      const onProgress = ({ step }) => step > 0 && news.push(step);
      const options = { trainer: 'burn', steps: 3, rate: 3e-3, scope: 'decoder', minGain: 0, minAgreement: 0, onProgress };
      const report = await segmenter.tune(t.cases, options);
      const after = await segmenter.segment(t.image);
      const tuned = await segmenter.saveModel();
      const { title } = segmenter.model;
      await segmenter.revert();
      const reverted = await segmenter.segment(t.image);
      segmenter.dispose();
      const same = (a, b) => a.labels.every((label, i) => label === b.labels[i]);
      const bytes = async (name) => new Uint8Array(await (await fetch(`/tiny/${name}`)).arrayBuffer());
      const names = ['model.json', 'whole-0.safetensors', 'patch-0.safetensors'];
      const model = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await bytes(name)])));
      const again = await t.createSegmenter({ model: { ...model, 'tuned.safetensors': tuned } });
      const loaded = await again.segment(t.image);
      again.dispose();
      return {
        report,
        title,
        news: news.length,
        agree: [t.agree(before.labels), t.agree(after.labels)],
        reverted: same(before, reverted),
        loaded: loaded.labels.filter((label, i) => label === after.labels[i]).length / loaded.labels.length,
      };
    });
    await page.close();
    t.diagnostic(`${found.report.reason}; voxels that agree: ${found.agree}`);
    const modules = beside.server.requests.slice(begun).filter((path) => path.endsWith('.wasm'));
    assert.deepEqual(modules, ['/wasm/gpu/insitu_seg_bg.wasm', '/wasm/burn/insitu_seg_bg.wasm']);
    assert.ok(found.report.accepted, found.report.reason);
    assert.equal(found.report.steps, 3);
    assert.ok(found.news >= 3 && found.agree[1] > found.agree[0], `${found.news}, ${found.agree}`);
    assert.match(found.title, /tuned$/);
    assert.equal(found.reverted, true);
    assert.ok(found.loaded >= 0.9999, `${found.loaded}`);
  });

  it('says where it cannot be, and leaves the model as it is', async (t) => {
    if (NO_MODEL) return notRun(t, 'build', NO_MODEL);
    isWithout = true;
    const page = await openPhantom();
    const found = await page.evaluate(async () => {
      const refused = async (options, trainer = 'burn') => {
        const segmenter = await t.createSegmenter(options);
        const answer = await t.refusal(segmenter.tune(t.cases, { trainer, steps: 1 }));
        const { canRevert } = segmenter;
        segmenter.dispose();
        return { ...answer, canRevert };
      };
      const answers = [await refused({ backend: 'cpu' }), await refused({ worker: false })];
      return [...answers, await refused({ backend: 'cpu' }, 'adam'), await refused({})];
    });
    await page.close();
    isWithout = false;
    const expected = [
      ['unsupported', /needs WebGPU/],
      ['unsupported', /needs a worker/],
      ['argument', /found adam, expected 'engine' or 'burn'/],
      ['unsupported', /this build has no burn/],
    ];
    found.forEach(({ code, message, canRevert }, i) => {
      assert.equal(code, expected[i][0], message);
      assert.match(message, expected[i][1]);
      assert.equal(canRevert, false);
    });
  });
});
