/** The page's words for what the engine does, in German too, and the engine's word on what an image is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import de from '../../www/i18n/de.js';
import { asFourDimensional, makeNifti } from './nifti.mjs';
import { choose, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

describe('in German', () => {
  it('every stage and timing has its words, and the engine’s own sentences say that they are English', async () => {
    const { page } = await openPage('?backend=cpu&lang=de');
    const stages = await page.evaluate(() => {
      const seen = new Set();
      const line = document.querySelector('#stage-words');
      new MutationObserver(() => seen.add(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
      return (window.stagesSeen = seen) && null;
    });
    assert.equal(stages, null);
    await segmented(page);
    const seen = await page.evaluate(() => [...window.stagesSeen]);
    assert.ok(seen.length >= 3, seen.join());
    for (const words of seen) assert.ok(Object.values(de).includes(words), words);
    assert.match(
      await page.locator('#timings').textContent(),
      /^Zeit: Vorbereiten [\d,]+ m?s, Suchen [\d,]+ m?s, Segmentieren [\d,]+ m?s, Zurückrechnen [\d,]+ m?s\.$/,
    );
    assert.equal(await page.locator('#undo').textContent(), 'Rückgängig');
    assert.match(await page.locator('#key-list').textContent(), /Bild auf.*Leertaste.*Strg Z/s);

    await choose(page, { 'series.nii.gz': asFourDimensional(readFileSync(SAMPLE)) });
    await page.locator('#several-said', { hasText: 'series.nii.gz enthält 2 Volumen: wählen Sie eines.' }).waitFor();
    await choose(page, { 'leer.nii.gz': Buffer.alloc(0) });
    await state(page, 'error');
    assert.match(await page.locator('#error').textContent(), /leer/);
    assert.equal(await page.locator('#error').getAttribute('lang'), '');
    await choose(page, { 'damaged.nii': Buffer.from('no image at all') });
    await page.locator('#error', { hasText: 'damaged.nii' }).waitFor();
    assert.equal(await page.locator('#error').getAttribute('lang'), 'en');
    await page.close();
  });
});

describe('the field of view', () => {
  it('is judged by the engine: what it warns of differs on the page, and what it takes fits', async () => {
    const { page } = await openPage('?backend=cpu');
    const { field_mm: field } = JSON.parse(readFileSync(join(root, 'pkg/models/hippocampus/model.json'), 'utf8'));
    // Between the bounds of old, 1.2 times the largest side in the engine and 1.25 times in the page.
    const sides = { fits: Math.floor(1.2 * field.max[0]), differs: Math.ceil(1.21 * field.max[0]) };
    assert.ok(sides.differs < 1.25 * field.max[0]);
    for (const [word, side] of Object.entries(sides)) {
      const dims = [side, 50, 35];
      const affine = [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ];
      const values = Int16Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => i % 800);
      await choose(page, { [`${word}.nii.gz`]: makeNifti({ dims, affine, values, spacing: [1, 1, 1] }) });
      await opened(page, `${word}.nii.gz`);
      const row = page.locator('#fit-rows tr', { hasText: 'Field of view' });
      assert.equal(await row.locator('strong').textContent(), word);
      const report = await segmented(page);
      assert.equal(report.input.dims[0], side);
      const warnings = await page.locator('#warnings').textContent();
      assert.equal(/the field of view is/.test(warnings), word === 'differs', warnings);
    }
    await page.close();
  });
});
