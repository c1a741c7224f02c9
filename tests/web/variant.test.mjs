/**
 * A convention of one's own in a page: objects drawn larger than the model was taught, on two images. Refused, as the model's
 * reference case falls, and offered; kept under a name, which the model, its card and its file bear; what was refused, saved; and the mean with a colleague's.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { besideThePackage } from './empty-page.mjs';

const beside = besideThePackage({ webgpu: false });

/** In the page: the sample, and every fifth coronal slice with a disc of 1.25 times the size for each object. */
async function drawDiscs() {
  const fetched = async (name) => new Uint8Array(await (await fetch(`/samples/hippocampus/${name}.nii.gz`)).arrayBuffer());
  const { createSegmenter } = await import('/index.js');
  const segmenter = await createSegmenter({ backend: 'cpu' });
  const image = await fetched('image');
  const { values: truth, dims } = await segmenter.read(await fetched('label'));
  const [nx, ny, nz] = dims;
  const labels = new Uint8Array(truth.length).fill(255);
  const slice = Array.from({ length: nx * nz }, (_, i) => [i % nx, Math.floor(i / nx)]);
  for (let y = 6; y < ny - 4; y += 5) {
    const at = ([x, z]) => x + nx * (y + ny * z);
    for (const place of slice) labels[at(place)] = 0;
    for (const label of [1, 2]) {
      const inside = slice.filter((place) => truth[at(place)] === label);
      if (inside.length < 20) continue;
      const [cx, cz] = [0, 1].map((k) => Math.round(inside.reduce((sum, place) => sum + place[k], 0) / inside.length));
      const radius = 1.25 * Math.sqrt(inside.length / Math.PI);
      for (const place of slice) if (Math.hypot(place[0] - cx, place[1] - cz) <= radius) labels[at(place)] = label;
    }
  }
  window.t = { createSegmenter, segmenter, cases: ['one', 'two'].map((name) => ({ image, labels, name })) };
}

describe('a convention of one’s own', () => {
  it('is offered as a variant, kept under a name only, and says so; what is refused can be looked at', async (t) => {
    const page = await beside.browser.newPage();
    page.setDefaultTimeout(600_000);
    await page.goto(beside.server.url);
    await page.evaluate(drawDiscs);
    const found = await page.evaluate(async () => {
      const { segmenter, cases, createSegmenter } = window.t;
      const refusal = (promise) =>
        promise.then(
          () => null,
          ({ code }) => code,
        );
      const titleOf = async (bytes) => (await createSegmenter({ backend: 'cpu', model: [bytes] })).model.title;
      const losses = [];
      const settings = { steps: 24, rate: 2e-3, scope: 'all' };
      const early = [await refusal(segmenter.keepVariant('Ours')), await refusal(segmenter.saveRefused())];
      const report = await segmenter.tune(cases, { ...settings, onProgress: ({ loss }) => loss !== null && losses.push(loss) });
      const asItWas = { canRevert: segmenter.canRevert, title: segmenter.model.title };
      const refusedFile = await segmenter.saveRefused();
      const refused = await titleOf(refusedFile);
      const unnamed = await refusal(segmenter.keepVariant(' '));
      await segmenter.keepVariant('Ours');
      const { title, tuned } = segmenter.model;
      const saved = await titleOf(await segmenter.saveModel());
      const twice = await refusal(segmenter.keepVariant('Ours'));
      // A colleague's weights that are the same: their mean changes nothing, and is a variant too.
      const theirs = await segmenter.saveModel();
      const merged = await segmenter.merge(theirs, cases);
      const mean = { report: merged, title: segmenter.model.title };
      const wrong = [];
      for (const [file, options] of [[refusedFile], [new Uint8Array(100)], [theirs, { share: 0 }]])
        wrong.push(await refusal(segmenter.merge(file, cases, options)));
      await segmenter.revert();
      const before = segmenter.model.title;
      await segmenter.revert();
      return {
        mean,
        wrong,
        before,
        early,
        report,
        losses,
        asItWas,
        refused,
        unnamed,
        title,
        tuned,
        saved,
        twice,
        reverted: segmenter.model.title,
      };
    });
    await page.close();
    const { report, asItWas } = found;
    t.diagnostic(report.reason);
    assert.deepEqual([report.accepted, report.verdict, report.cause], [false, 'variant', 'own-convention']);
    assert.match(
      report.reason,
      /^refused: .* falls by more than 0\.02, while 2 of your images gain 0\.01 or more: it can be kept as a variant/,
    );
    assert.ok(report.cases.length === 2 && report.cases.every(({ dice }) => dice.after - dice.before >= 0.01));
    assert.ok(report.reference.after < report.reference.before - 0.02);
    assert.ok(found.losses.length > 0 && Math.min(...found.losses, ...report.loss) >= 0, 'a loss is not negative');
    assert.deepEqual([...found.early, found.unnamed, found.twice], ['argument', 'argument', 'argument', 'argument']);
    assert.equal(asItWas.canRevert, false, 'nothing is taken unasked');
    assert.match(found.refused, /tuned and refused$/);
    assert.match(found.title, /own variant: Ours$/);
    assert.equal(found.saved, found.title);
    assert.equal(found.tuned.own_variant, 'Ours');
    assert.equal(found.reverted, asItWas.title);
    const { mean, wrong } = found;
    t.diagnostic(mean.report.reason);
    assert.deepEqual([mean.report.accepted, mean.report.steps, mean.title, found.before], [true, 0, found.title, found.title]);
    assert.deepEqual(mean.report.merged, { deltas: 2, shares: [0.5, 0.5] });
    assert.ok(Math.abs(mean.report.check.after - mean.report.check.before) < 0.005, mean.report.reason);
    assert.deepEqual(wrong, ['argument', 'malformed', 'argument']);
  });
});
