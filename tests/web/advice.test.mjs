/** What a person is told to mark next, so that the model learns from it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { adviceOf, gainClearly, OWN_GAIN } from '../../www/advice.js';
import de from '../../www/i18n/de.js';
import en from '../../www/i18n/en.js';

const LABELS = ['Anterior', 'Posterior'];
const marked = (title, slices, voxels = { Anterior: 200, Posterior: 200 }) => ({ title, slices, corrected: slices, voxels });
const untouched = (title) => ({ title, slices: 0, corrected: 0, voxels: {} });
const keyOf = (...given) => adviceOf(...given).key;

describe('advice on what to mark next', () => {
  it('names what is missing, the most needed first', () => {
    assert.equal(keyOf([untouched('a')], LABELS), 'adviceStart');
    assert.deepEqual(adviceOf([marked('a', 5, { Anterior: 200, Posterior: 3 })], LABELS), {
      key: 'adviceLabel',
      values: { name: 'Posterior' },
    });
    assert.equal(keyOf([marked('a', 2)], LABELS), 'adviceSlices');
    assert.deepEqual(adviceOf([marked('a', 4), untouched('b')], LABELS), { key: 'adviceOther', values: { name: 'b' } });
    assert.equal(keyOf([marked('a', 4)], LABELS), 'adviceReadyOne');
    assert.equal(keyOf([marked('a', 4), marked('b', 4)], LABELS), 'adviceReady');
  });

  it('goes on from what became of the last tuning', () => {
    const two = [marked('a', 4), marked('b', 4)];
    for (const cause of ['no-gain', 'small-gain', 'poor-fit']) assert.equal(keyOf(two, LABELS, cause), 'adviceMore');
    assert.equal(keyOf([two[0]], LABELS, 'reference-falls'), 'adviceTwoImages');
    assert.equal(keyOf(two, LABELS, 'reference-falls'), 'adviceConvention');
    assert.equal(keyOf(two, LABELS, 'annotations'), 'adviceCheckMasks');
    assert.equal(keyOf(two, LABELS, 'better'), 'adviceReady');
  });

  it('speaks plainly: nothing judges, in either language', () => {
    for (const table of [en, de])
      for (const [key, words] of Object.entries(table)) assert.doesNotMatch(words, /voxels that judge|judging|urteilende/i, key);
  });
});

describe('an image gains clearly', () => {
  it('at the bound of the engine, each image for itself', () => {
    const rules = readFileSync(join(root, 'src/tune/acceptance.rs'), 'utf8');
    assert.equal(OWN_GAIN, Number(rules.match(/^const OWN_GAIN: f64 = (.*);$/m)?.[1]));
    const by = (gain) => ({ name: 'a', dice: { before: 0.5, after: 0.5 + gain } });
    assert.equal(gainClearly([0.011, 0.0099, 0.3, -0.2].map(by)), 2);
  });
});
