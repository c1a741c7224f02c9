/**
 * What a person does with the page, in order, each on what the one before left. `run` gives nothing where it went well, or why it is not
 * possible in this browser; it throws where it failed. `kept` is what later features compare with.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { root } from '../../scripts/tools.mjs';
import { readNifti } from '../web/nifti.mjs';
import { click, download, press, segment, state, stroke, text, until } from './tab.mjs';

const SAMPLE = join(root, 'pkg/samples/hippocampus/image.nii.gz');

const maskOf = async (tab) => readNifti((await download(tab, '#download')).bytes).voxels;
const count = (voxels) => voxels.filter(Boolean).length;
const addressOf = ({ url }, query = '?backend=cpu') => `${url}${query}&sample=crop&lang=en`;

/** @typedef {{ tab: import('./tab.mjs').Tab, server: { url: string, requests: string[], close(): Promise<void> }, kept: Record<string, any> }} Story */

/** The count of requests, which is shown when the browser has said what it keeps. */
async function requestsSaid(tab) {
  await until(tab, () => document.querySelector('#requests').textContent !== '');
  return text(tab, '#requests');
}

/** @type {Record<string, (story: Story) => Promise<string | void>>} */
export const FEATURES = {
  async open({ tab, server }) {
    await tab.goto(addressOf(server));
    await state(tab, 'ready');
    await tab.choose('#file', [SAMPLE]);
    await until(tab, () => document.querySelector('#file-name').textContent === 'image.nii.gz');
    await state(tab, 'ready');
    assert.match(await text(tab, '#file-facts'), /34 × 49 × 34/);
  },

  async segment({ tab, kept }) {
    const report = await segment(tab);
    kept.mask = await maskOf(tab);
    assert.equal(report.backend, 'cpu');
    assert.ok(count(kept.mask) > 3000, `${count(kept.mask)} voxels`);
  },

  async threads({ tab }) {
    const { threads, why, isolated } = await tab.evaluate(() => ({
      ...JSON.parse(document.querySelector('#report').textContent),
      isolated: crossOriginIsolated,
    }));
    assert.ok(isolated);
    if (/no memory that threads could share/.test(why)) return why;
    assert.ok(threads >= 2 && threads <= 16, why);
  },

  async WebGPU({ tab, server, kept }) {
    const adapter = await tab.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter().catch(() => null)));
    if (!adapter) return 'it has no WebGPU here';
    await tab.goto(addressOf(server, '?backend=webgpu'));
    await state(tab, 'ready', 'done');
    const report = await segment(tab);
    assert.equal(report.backend, 'webgpu');
    assert.deepEqual(await maskOf(tab), kept.mask);
    await tab.goto(addressOf(server));
    await state(tab, 'ready', 'done');
  },

  async brush({ tab, kept }) {
    if (!(await tab.evaluate(() => document.documentElement.dataset.state === 'done'))) await segment(tab);
    await press(tab, 'Axial');
    await press(tab, 'Brush');
    await stroke(tab);
    kept.painted = await maskOf(tab);
    assert.notDeepEqual(kept.painted, kept.mask);
  },

  async undo({ tab, kept }) {
    await tab.press('Control', 'z');
    assert.deepEqual(await maskOf(tab), kept.mask);
    await press(tab, 'Redo');
    assert.deepEqual(await maskOf(tab), kept.painted);
  },

  async export({ tab }) {
    const magic = {
      '#download': [0x1f, 0x8b],
      '#download-nrrd': [0x4e, 0x52],
      '#download-zip': [0x50, 0x4b],
      '#download-stl': [0x50, 0x4b],
    };
    for (const [button, start] of Object.entries(magic)) {
      const { name, bytes } = await download(tab, button);
      assert.deepEqual([...bytes.subarray(0, 2)], start, name);
    }
    assert.match((await download(tab, '#download-csv')).bytes.toString(), /hippocampus/i);
  },

  async tune({ tab }) {
    // Slices that lie apart: a part of them teaches, another judges.
    await tab.evaluate(() => document.querySelector('#slices').focus());
    for (let i = 0; i < 4; i++) await tab.press('PageDown');
    for (let n = 0; n < 4; n++) {
      await tab.press('k');
      for (let i = 0; i < 2; i++) await tab.press('PageUp');
    }
    assert.match(await text(tab, '#teach-found'), / 4 checked slices/);
    await tab.evaluate(() => {
      document.querySelector('#minutes').value = '1';
    });
    await click(tab, '#tune');
    await state(tab, 'tuning');
    await state(tab, 'done');
    const verdict = await text(tab, '#verdict-words');
    assert.ok(verdict.length > 20, 'a verdict');
    assert.ok(await tab.evaluate(() => document.querySelector('#curves-svg polyline') !== null), `no step was taken: ${verdict}`);
  },

  async restore({ tab, kept }) {
    await until(tab, () => /is kept in this browser until/.test(document.querySelector('#kept').textContent));
    kept.last = await maskOf(tab);
    await until(tab, () => document.documentElement.dataset.kept === 'yes');
    await tab.reload();
    await state(tab, 'done');
    assert.equal(await text(tab, '#file-name'), 'image.nii.gz');
    assert.deepEqual(await maskOf(tab), kept.last);
  },

  async offline({ tab, server, kept }) {
    await until(tab, () => document.documentElement.dataset.offline);
    assert.match(await text(tab, '#offline'), /Works offline/);
    assert.equal(await requestsSaid(tab), '0 network requests since loading');
    await tab.reload();
    await state(tab, 'done');
    await server.close();
    await tab.reload();
    await state(tab, 'done');
    await segment(tab);
    assert.ok(count(await maskOf(tab)) > 0.5 * count(kept.mask));
    assert.equal(await requestsSaid(tab), '0 network requests since loading');
  },
};

/** What every day's tests look at. */
export const SMOKE = ['open', 'segment', 'brush', 'undo'];
