/**
 * Tuning in a page: strokes on the sample, accepted, the mask goes towards them, the tuned weights go through a file and a
 * new page; a lost device, a wrong gradient, a stop; memory that stays. On WebGPU, which an emulated one takes minutes for,
 * small networks learn, of phantoms; INSITU_LONG=1: the shipped ones and all 500 steps there too.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nativeCommand, phantomFiles } from '../faults/model.mjs';
import { notRun } from '../not-run.mjs';
import { besideThePackage } from './empty-page.mjs';
import { NO_BURN } from './practice.mjs';

/** `every`: of how many coronal slices one has strokes. */
const SAMPLE = { folder: '/samples/hippocampus', every: 5, rate: 1e-3, voxels: 1000 };
// The small networks are not sure of their phantoms.
const PHANTOM = { folder: '/phantom', model: '/tiny/', every: 1, rate: 3e-3, minAgreement: 0, voxels: 200 };
const LONG = Boolean(process.env.INSITU_LONG);
const ON_GPU = LONG ? SAMPLE : PHANTOM;
const STEPS = { cpu: 12, webgpu: 3 };

const command = nativeCommand();
const beside = besideThePackage({ extra: command && !LONG ? phantomFiles(command) : {} });
const NO_MODEL = command || LONG ? null : 'the native command is not built (cargo build --release --features cli)';

/** A page with an image, its true labels, and strokes of these: whole coronal slices. */
async function openPage({ folder, model, every } = SAMPLE) {
  const page = await beside.browser.newPage();
  await page.goto(beside.server.url);
  await page.evaluate(
    async ([folder, model, every]) => {
      const index = await import('/index.js');
      const createSegmenter = (options) => index.createSegmenter({ model, ...options });
      const fetched = async (name) => new Uint8Array(await (await fetch(`${folder}/${name}.nii.gz`)).arrayBuffer());
      const [image, label] = [await fetched('image'), await fetched('label')];
      const reader = await createSegmenter({ backend: 'cpu' });
      const { values, dims } = await reader.read(label);
      reader.dispose();
      const truth = Uint8Array.from(values);
      const annotated = truth.map((_, i) => (Math.floor(i / dims[0]) % dims[1]) % every === 0);
      const agree = (labels) => labels.reduce((sum, l, i) => sum + (annotated[i] && l === truth[i] ? 1 : 0), 0);
      const refusal = (promise) =>
        promise.then(
          () => null,
          ({ code, message }) => ({ code, message }),
        );
      // What a tuned file is tuned from; a shipped model is found by its name.
      const base = async () => {
        const names = model ? ['model.json', 'whole-0.safetensors', 'patch-0.safetensors'] : [];
        const bytes = async (name) => new Uint8Array(await (await fetch(`${model}${name}`)).arrayBuffer());
        return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await bytes(name)])));
      };
      window.t = { createSegmenter, base, image, truth, annotated, agree, refusal };
    },
    [folder, model, every],
  );
  return page;
}

describe('tuning in a page', () => {
  for (const [backend, what, trainer] of [
    ['cpu', SAMPLE, 'engine'],
    ['webgpu', ON_GPU, 'engine'],
    ['webgpu', ON_GPU, 'burn'],
  ]) {
    it(`strokes are learned, saved, loaded, merged and reverted (${backend}, trainer: ${trainer})`, async (t) => {
      if (what.model && NO_MODEL) return notRun(t, 'build', NO_MODEL);
      if (trainer === 'burn' && NO_BURN) return notRun(t, 'build', NO_BURN);
      const page = await openPage(what);
      const first = await page.evaluate(
        async ([backend, trainer, steps, rate, minAgreement]) => {
          const segmenter = await t.createSegmenter({ backend });
          const before = await segmenter.segment(t.image);
          const news = [];
          const cases = [{ image: t.image, labels: t.truth, annotated: t.annotated, name: 'sample' }];
          const guard = { minGain: 0, minAgreement };
          const options = { trainer, steps, rate, scope: 'decoder', ...guard, onProgress: (progress) => news.push(progress) };
          const report = await segmenter.tune(cases, options);
          const after = await segmenter.segment(t.image);
          const found = {
            report,
            news: news.filter(({ step }) => step > 0).length,
            agree: [t.agree(before.labels), t.agree(after.labels)],
            labels: [...after.labels],
            title: segmenter.model.title,
            attached: t.image.byteLength > 0 && t.truth.byteLength > 0,
            unlike: (await segmenter.plan(t.image)).warnings,
          };
          if (!report.accepted) return found;
          found.tuned = [...(await segmenter.saveModel())];
          // The mean with the same weights of somebody else changes nothing.
          const mean = await segmenter.merge(Uint8Array.from(found.tuned), cases);
          const { labels } = await segmenter.segment(t.image);
          found.mean = { report: mean, same: labels.every((label, i) => label === after.labels[i]) };
          await segmenter.revert();
          await segmenter.revert();
          const reverted = await segmenter.segment(t.image);
          found.reverted = reverted.labels.every((label, i) => label === before.labels[i]);
          found.nothing = [await t.refusal(segmenter.revert()), await t.refusal(segmenter.saveModel())];
          return found;
        },
        [backend, trainer, STEPS[backend], what.rate, what.minAgreement],
      );
      await page.close();
      const { report } = first;
      t.diagnostic(report.reason);
      t.diagnostic(
        `${(report.seconds / report.steps).toFixed(2)} s for each of ${report.steps} steps, all looks included; agreement with the strokes ${first.agree}`,
      );
      assert.equal(report.accepted, true, report.reason);
      assert.equal(report.inside, true);
      assert.deepEqual(first.unlike, []);
      assert.ok(first.agree[1] > first.agree[0], `${first.agree}`);
      assert.ok(first.news >= STEPS[backend] && first.attached);
      assert.match(first.title, /tuned$/);
      assert.deepEqual([first.mean.report.accepted, first.mean.same], [true, true], first.mean.report.reason);
      assert.equal(first.reverted, true);
      assert.deepEqual(
        first.nothing.map(({ code }) => code),
        ['argument', 'argument'],
      );

      const again = await openPage(what);
      const labels = await again.evaluate(
        async ([backend, tuned]) => {
          const segmenter = await t.createSegmenter({
            backend,
            model: { ...(await t.base()), 'tuned.safetensors': Uint8Array.from(tuned) },
          });
          const { labels } = await segmenter.segment(t.image);
          return [...labels];
        },
        [backend, first.tuned],
      );
      await again.close();
      const same = labels.filter((label, i) => label === first.labels[i]).length / labels.length;
      assert.ok(backend === 'cpu' ? same === 1 : same >= 0.9999, `${100 * same} % of the voxels are the same`);
    });
  }

  it('says in words what it cannot learn from, and leaves the model as it is', async () => {
    const page = await openPage();
    const found = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const tune = (labels, more) => t.refusal(segmenter.tune([{ image: t.image, labels, name: 'sample', ...more }], { steps: 1 }));
      const answers = [
        await tune(t.truth.map(() => 255)),
        await tune(t.truth.map((l) => (l === 2 ? 0 : l))),
        await tune(t.truth.subarray(1)),
      ];
      answers.push(await t.refusal(segmenter.tune([])), await tune(t.truth, { annotated: new Uint8Array(3) }));
      answers.push(await t.refusal(segmenter.tune([{ image: t.image, labels: t.truth }], { steps: 0 })));
      return { answers, tuned: await t.refusal(segmenter.saveModel()) };
    });
    await page.close();
    const words = [
      'no annotated voxel',
      'no voxel of label 2',
      'expected 34 x 49 x 34',
      'list of cases',
      'annotated has 3 voxels',
      'steps: found 0',
    ];
    found.answers.forEach(({ message }, i) => assert.ok(message.includes(words[i]), message));
    assert.equal(found.tuned.code, 'argument');
  });

  it('a stop is heard within two steps, and the model is as it was', async (t) => {
    const page = await openPage();
    const found = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const before = await segmenter.segment(t.image);
      const stop = new AbortController();
      let first;
      let asked;
      const onProgress = ({ step }) => {
        if (step === 1) first ??= performance.now();
        if (step !== 2 || asked) return;
        asked = performance.now();
        stop.abort();
      };
      const cases = [{ image: t.image, labels: t.truth, annotated: t.annotated }];
      const answer = await t.refusal(segmenter.tune(cases, { steps: 100, signal: stop.signal, onProgress }));
      const ms = performance.now() - asked;
      const after = await segmenter.segment(t.image);
      return {
        answer,
        ms,
        step: asked - first,
        same: after.labels.every((label, i) => label === before.labels[i]),
        canRevert: segmenter.canRevert,
      };
    });
    await page.close();
    t.diagnostic(`${found.ms.toFixed(0)} ms, where a step takes ${found.step.toFixed(0)}`);
    assert.equal(found.answer.code, 'cancelled');
    assert.ok(found.ms < 2 * found.step, `${found.ms} ms, a step ${found.step}`);
    assert.deepEqual([found.same, found.canRevert], [true, false]);
  });

  it('slices are suggested where the object is', async () => {
    const page = await openPage();
    const found = await page.evaluate(async () => {
      const segmenter = await t.createSegmenter({ backend: 'cpu' });
      const { slices, map } = await segmenter.suggest(t.image, { slices: 2, axis: 1 });
      return { slices, length: map.length, top: Math.max(...map) };
    });
    await page.close();
    assert.equal(found.slices.length, 2);
    assert.deepEqual([found.length, found.top], [34 * 49 * 34, 255]);
    for (const { axis, index } of found.slices) assert.ok(axis === 1 && index > 5 && index < 45, `${index}`);
  });

  it('a device that is lost in the middle of a step is replaced, and tuning goes on from the strokes', async (t) => {
    if (NO_MODEL) return notRun(t, 'build', NO_MODEL);
    const page = await openPage(ON_GPU);
    const found = await page.evaluate(
      async ([steps, rate, minAgreement]) => {
        let device;
        const { requestDevice } = GPUAdapter.prototype;
        GPUAdapter.prototype.requestDevice = async function (...args) {
          return (device = await requestDevice.apply(this, args));
        };
        const segmenter = await t.createSegmenter({ backend: 'webgpu', worker: false });
        const cases = [{ image: t.image, labels: t.truth, annotated: t.annotated }];
        const told = [];
        let lost = false;
        const onProgress = ({ stage, step, reason }) => {
          if (reason) told.push(reason);
          if (stage !== 'patch' || step !== 1 || lost) return;
          lost = true;
          device.destroy();
        };
        const report = await segmenter.tune(cases, { steps, rate, minGain: 0, minAgreement, onProgress });
        const { labels } = await segmenter.segment(t.image);
        return { report, told, lost, strokes: t.annotated.some(Boolean), voxels: labels.filter((label) => label > 0).length };
      },
      [2, ON_GPU.rate, ON_GPU.minAgreement],
    );
    await page.close();
    t.diagnostic(`${found.told.join(' | ')}; ${found.report.reason}`);
    assert.ok(found.lost && found.told.length > 0 && found.strokes);
    assert.equal(found.report.steps, 2);
    assert.ok(found.voxels > ON_GPU.voxels);
  });

  it('a kernel whose gradient is wrong is refused by name', async (t) => {
    if (NO_MODEL) return notRun(t, 'build', NO_MODEL);
    const page = await openPage(ON_GPU);
    const answer = await page.evaluate(async () => {
      const { createShaderModule } = GPUDevice.prototype;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        const code = descriptor.code.replace('s231 +=', 's231 -=');
        return createShaderModule.call(this, { ...descriptor, code });
      };
      const segmenter = await t.createSegmenter({ backend: 'webgpu', worker: false });
      const cases = [{ image: t.image, labels: t.truth, annotated: t.annotated }];
      return t.refusal(segmenter.tune(cases, { steps: 1 }));
    });
    await page.close();
    t.diagnostic(answer.message);
    assert.equal(answer.code, 'device');
    assert.match(answer.message, /kernel "conv, weight"/);
  });

  const many = LONG ? 500 : 30;
  for (const [artifact, backend, steps] of [
    ['cpu', 'cpu', 500],
    ['gpu', 'webgpu', many],
  ]) {
    it(`memory stays over ${steps} steps of a network of base 4 at 24^3 (${backend})`, async (t) => {
      const page = await openPage();
      const { wasm, ms } = await page.evaluate(
        async ([artifact, backend, steps]) => {
          const code = await import(`/wasm/${artifact}/insitu_seg.js`);
          const { memory } = await code.default();
          const practice = await code.Practice.create(backend, 4);
          const side = 24;
          const image = Float32Array.from({ length: side ** 3 }, (_, i) => Math.sin(i * 0.37));
          const target = Float32Array.from({ length: 2 * side ** 3 }, (_, i) => Number(i % 7 === 0));
          const wasm = [];
          const started = performance.now();
          for (let step = 0; step < steps; step += 1) {
            await practice.step(image, target, side, side, side, 1e-3);
            wasm.push(memory.buffer.byteLength);
          }
          return { wasm, ms: (performance.now() - started) / steps };
        },
        [artifact, backend, steps],
      );
      await page.close();
      t.diagnostic(`${ms.toFixed(1)} ms a step, ${(wasm.at(-1) / 2 ** 20).toFixed(1)} MiB of wasm`);
      assert.equal(new Set(wasm.slice(3)).size, 1, `${[...new Set(wasm)]}`);
    });
  }
});
