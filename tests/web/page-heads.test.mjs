/** The page with the shipped model and the samples: a whole head, which is seen first, and a crop around one hippocampus. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { agreement, readNifti } from './nifti.mjs';
import { browser, choose, download, kept, opened, openPage, SAMPLE, segmented, server, state } from './page.mjs';

const HEAD = readNifti(readFileSync(join(root, 'www/samples/head/label.nii.gz')));
const text = (page, selector) => page.locator(selector).textContent();
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
/** The first number of a text. */
const numberIn = (words) => Number(/\d+(\.\d+)?/.exec(words)[0]);

describe('the side of a crop', () => {
  const names = (page) => page.locator('#classes .name').evaluateAll((all) => all.map(({ value }) => value));
  const maskNow = async (page) => readNifti((await download(page)).bytes).voxels;
  const sideIn = async (page) => JSON.parse(await text(page, '#report')).boxes.map(({ object, side }) => [object, side]);
  const LEFT = ['Left anterior hippocampus', 'Left posterior hippocampus'];
  const RIGHT = ['Right anterior hippocampus', 'Right posterior hippocampus'];

  it('is said, and with one press it is the other one: for this run, the next, and after a reload, until it is undone', async () => {
    const context = await browser.newContext();
    const { page, complaints } = await openPage('?backend=cpu', context);
    await choose(page, { 'mine.nii.gz': readFileSync(SAMPLE) });
    await opened(page, 'mine.nii.gz');
    await segmented(page);
    assert.match(await text(page, '#side-words'), /^Side: left, by the look of it; the networks agree by 0\.9\d+ of 1\.$/);
    assert.deepEqual(await names(page), LEFT);
    assert.equal(await page.locator('#agreement').isVisible(), false);
    const left = await maskNow(page);

    const other = async (side) => {
      await press(page, `It is the other side: ${side}`);
      await state(page, 'done', 'error');
      assert.equal(await text(page, '#error'), '');
    };
    await other('right');
    assert.equal(await text(page, '#side-words'), 'Side: right, as you said.');
    assert.deepEqual(await names(page), RIGHT);
    assert.deepEqual(await sideIn(page), [['right', 'right']]);
    assert.equal(await page.locator('#pairs').isVisible(), false);
    const right = await maskNow(page);
    assert.deepEqual([...new Set(right)].sort(), [0, 3, 4]);

    await segmented(page);
    assert.deepEqual(await names(page), RIGHT);
    assert.deepEqual(await maskNow(page), right);
    await kept(page);
    await page.reload();
    await state(page, 'done', 'error');
    assert.equal(await text(page, '#side-words'), 'Side: right, as you said.');
    await segmented(page);
    assert.deepEqual(await names(page), RIGHT);
    assert.deepEqual(await maskNow(page), right);

    await other('left');
    assert.equal(await text(page, '#side-words'), 'Side: left, as you said.');
    assert.deepEqual(await names(page), LEFT);
    const again = agreement(await maskNow(page), left).share;
    assert.ok(again > 0.9, `${again}`);
    await press(page, 'Undo');
    assert.equal(await text(page, '#side-words'), 'Side: right, as you said.');
    assert.deepEqual(await names(page), RIGHT);
    assert.deepEqual(await maskNow(page), right);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('is not asked of a whole head, where each has its own', async () => {
    const { page } = await openPage('?backend=cpu&sample=head');
    await segmented(page);
    assert.equal(await page.locator('#side').isVisible(), false);
    assert.equal(await page.locator('#agreement').isVisible(), true);
    // Nor does it teach: tuning refuses whole scans.
    assert.match(await text(page, '#advice'), /crops around one object, not from whole scans/);
    for (const id of ['#check-slice', '#tune']) assert.ok(await page.locator(id).isDisabled(), id);
    assert.equal(await page.locator('#next-slice').isVisible(), false);
    await page.close();
  });
});

describe('the sample head', () => {
  it('is what a newcomer sees: both hippocampi are found, each on its side, with the volume inside the skull', async (t) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`${server.url}?backend=cpu`);
    await state(page, 'ready', 'error');
    assert.equal(await text(page, '#file-name'), 'Sample head');
    assert.match(await text(page, '#file-origin'), /no person’s.*SynthSeg.*Apache/);
    const { boxes } = await segmented(page);
    assert.deepEqual(
      boxes.map(({ object, side }) => [object, side]),
      [
        ['left', 'left'],
        ['right', 'right'],
      ],
    );
    const mask = readNifti((await download(page)).bytes);
    assert.deepEqual(mask.dims, HEAD.dims);
    for (const [side, truth, labels] of [
      ['left', 1, [1, 2]],
      ['right', 2, [3, 4]],
    ]) {
      const [found, known] = [
        mask.voxels.map((label) => Number(labels.includes(label))),
        HEAD.voxels.map((label) => Number(label === truth)),
      ];
      const { share } = agreement(found, known);
      const dice = (2 * share) / (1 + share);
      t.diagnostic(`${side}: Dice ${dice.toFixed(3)} with the labels of which the head was made`);
      assert.ok(dice > 0.7, `${side}: ${dice}`);
    }
    const inside = HEAD.voxels.filter((label) => label > 0).length / 1000;
    const skull = numberIn(await text(page, '#intracranial-words'));
    assert.ok(Math.abs(skull / inside - 1) < 0.1, `${skull} mL for ${inside}`);
    assert.equal(await page.locator('#pair-rows tr').count(), 3);
    assert.match(await text(page, '#agreement-words'), /^The networks agree: left 0\.9\d*, right 0\.9\d*, of 1$/);
    assert.equal(await page.locator('#warnings li').count(), 0);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('is one press away from the sample crop, without a request where the page is kept; and the other way; a mask of either stays', async () => {
    const { page, complaints } = await openPage('?backend=cpu');
    const samplesFetched = () =>
      page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /\/image\.nii-[^/]*\.gz$/.test(name)).length);
    assert.equal(await samplesFetched(), 1);
    assert.equal(await text(page, '#file-name'), 'Sample crop');
    assert.match(await text(page, '#file-origin'), /Decathlon.*CC‑BY‑SA/);
    assert.equal(await page.locator('#sample-crop').isVisible(), false);
    await segmented(page);
    await page.locator('html[data-offline=ready]').waitFor({ state: 'attached' });
    await press(page, 'Open sample head');
    await opened(page, 'Sample head');
    assert.equal(await samplesFetched(), 1);
    assert.match(await text(page, '#requests'), /^0 /);
    assert.equal(await page.locator('#sample-head').isVisible(), false);
    assert.equal(await page.locator('#result').isVisible(), false);
    await press(page, 'Open sample crop');
    await state(page, 'done');
    assert.equal(await text(page, '#file-name'), 'Sample crop');
    assert.equal(await page.locator('#result').isVisible(), true);
    assert.deepEqual(complaints, []);
    await page.close();
  });
});
