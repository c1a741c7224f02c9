/** The page's address: a volume that it names is opened, or named with the reason why not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { serve, servePage } from './browser.mjs';
import { browser, openPage, SAMPLE, segmented, state } from './page.mjs';

const volume = { type: 'application/gzip', body: readFileSync(SAMPLE) };

describe('a volume in the address', () => {
  let own;
  let other;
  before(async () => {
    own = await servePage({ extra: { '/scans/patient 5.nii.gz': volume, '/scans/patient%205.nii.gz': volume } });
    other = await serve('.', { extra: { '/elsewhere.nii.gz': volume } });
  });
  after(() => Promise.all([own?.close(), other?.close()]));

  it('is opened from the page’s own server, and segmented', async () => {
    const { page, complaints } = await openPage('?backend=cpu&volume=scans/patient%205.nii.gz', undefined, own);
    await page.locator('#file-name', { hasText: 'patient 5.nii.gz' }).waitFor();
    await state(page, 'ready');
    await segmented(page);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  for (const [kind, address, said] of [
    [
      'from elsewhere',
      () => `${other.url}elsewhere.nii.gz`,
      /elsewhere\.nii\.gz could not be fetched \(.*\)\. This page may fetch from its own server only/,
    ],
    ['that is not there', () => 'scans/none.nii.gz', /none\.nii\.gz could not be fetched \(HTTP 404\)/],
    ['that is no address', () => 'http://[', /Expected the address of a volume, found http:\/\/\[/],
  ])
    it(`(${kind}) is named, and the sample is there`, async () => {
      const page = await browser.newPage();
      await page.goto(`${own.url}?backend=cpu&sample=crop&volume=${encodeURIComponent(address())}`);
      await state(page, 'error');
      assert.match(await page.locator('#error').textContent(), said);
      assert.equal(await page.locator('#file-name').textContent(), 'Sample crop');
      await segmented(page);
      await page.close();
    });
});
