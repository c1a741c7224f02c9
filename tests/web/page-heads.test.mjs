/** The page with the shipped model and the samples: a whole head, which is seen first, and a crop around one hippocampus. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { agreement, readNifti } from './nifti.mjs';
import { browser, download, opened, openPage, segmented, server, state } from './page.mjs';

const HEAD = readNifti(readFileSync(join(root, 'www/samples/head/label.nii.gz')));
const text = (page, selector) => page.locator(selector).textContent();
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
/** The first number of a text. */
const numberIn = (words) => Number(/\d+(\.\d+)?/.exec(words)[0]);

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
    assert.equal(await page.locator('#warnings li').count(), 0);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it('is one press away from the sample crop, and the other way; a mask of either stays', async () => {
    const { page, complaints } = await openPage('?backend=cpu');
    assert.equal(await text(page, '#file-name'), 'Sample crop');
    assert.match(await text(page, '#file-origin'), /Decathlon.*CC‑BY‑SA/);
    assert.equal(await page.locator('#sample-crop').isVisible(), false);
    await segmented(page);
    await press(page, 'Open sample head');
    await opened(page, 'Sample head');
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
