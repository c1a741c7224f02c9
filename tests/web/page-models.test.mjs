/** The models of the page: the menu, each way by which another one comes in, what is refused, and what becomes of masks. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zipSync } from 'fflate';
import { serve, servePage } from './browser.mjs';
import { dropPaths } from './drop.mjs';
import { readNifti } from './nifti.mjs';
import { deltaOf, imageFile, modelFiles, PLACES, sizeOf } from './objects.mjs';
import { assertAccessible, browser, choose, download, kept, opened, openPage, SAMPLE, segmented, state } from './page.mjs';

const FORMULA = 'Two objects by formula';
const files = modelFiles();
const zip = Buffer.from(zipSync(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`mine/${name}`, bytes]))));
/** It sees nothing any more. */
const delta = deltaOf(files, { 'patch/out.bias': [-60_000, -60_000] });
const body = (bytes) => ({ type: 'application/octet-stream', body: bytes });

let folder;
let own;
let other;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'insitu-models-'));
  mkdirSync(join(folder, 'mine'));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, 'mine', name), bytes);
  writeFileSync(join(folder, 'mine.zip'), zip);
  writeFileSync(join(folder, 'tuned.safetensors'), delta);
  const extra = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`/own/mine/${name}`, body(bytes)]));
  own = await servePage({
    extra: { ...extra, '/own/mine.zip': body(zip), '/body.nii.gz': body(imageFile()), '/page/model.json': '<!doctype html>' },
  });
  other = await serve(folder);
});
after(async () => {
  await own?.close();
  await other?.close();
  rmSync(folder, { recursive: true, force: true });
});

const text = (page, selector) => page.locator(selector).textContent();
const titles = (page) => page.locator('#models option').allTextContents();
const chosen = (page) => page.locator('#models option:checked').textContent();
const runs = (page, title) => page.locator('#model', { hasText: title }).waitFor();
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
const maskNow = async (page) => readNifti((await download(page)).bytes).voxels;
const count = (mask, value) => mask.filter((one) => one === value).length;

/** Segments the image of two objects, and sees that the model by formula found both. */
async function assertFormula(page) {
  await choose(page, { 'body.nii.gz': imageFile() });
  await opened(page, 'body.nii.gz');
  await segmented(page);
  const mask = await maskNow(page);
  assert.deepEqual([count(mask, 1), count(mask, 3)], [sizeOf('left'), sizeOf('right')]);
}

describe('another model', () => {
  const ways = {
    'as a folder': (page) => page.locator('#model-directory').setInputFiles(join(folder, 'mine')),
    'as a zip': (page) => page.locator('#model-file').setInputFiles(join(folder, 'mine.zip')),
    'as files': (page) => page.locator('#model-file').setInputFiles(Object.entries(files).map(([name, bytes]) => file(name, bytes))),
    'as a folder that is dropped on the slices': (page) => dropPaths(page, [join(folder, 'mine')]),
    'as a zip that is dropped': (page) => dropPaths(page, [join(folder, 'mine.zip')]),
    'by the address of its folder': async (page) => {
      await page.locator('#model-open summary').click();
      await page.locator('#model-address').fill('own/mine');
      await page.locator('#model-address').press('Enter');
    },
  };
  it('comes in by each of the ways, is listed once and runs; the menu leads back to the shipped one', async () => {
    const { page, complaints } = await openPage('?backend=cpu', browser, own);
    assert.equal((await titles(page)).length, 1);
    for (const [way, open] of Object.entries(ways)) {
      await open(page);
      await runs(page, FORMULA);
      await state(page, 'ready');
      assert.match(await chosen(page), /^Two objects by formula \(.+\)$/, way);
      assert.equal((await titles(page)).length, 2, way);
      await page.locator('#models').selectOption({ index: 0 });
      await runs(page, 'Hippocampus');
      await state(page, 'ready');
    }
    // What was fetched when the page was ready is counted.
    assert.match(await text(page, '#requests'), /^[1-9]/);
    await page.locator('#models').selectOption({ index: 1 });
    await runs(page, FORMULA);
    await assertFormula(page);
    assert.equal(await text(page, '#made-by'), `Made by: ${FORMULA}.`);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('is the one of the address, with a volume and a box in it', async () => {
    const { start, end } = PLACES.left;
    const box = [...start.map((at) => at - 3), ...end.map((at) => at + 3)];
    const query = `?backend=cpu&model=own/mine.zip&volume=body.nii.gz&box=left=${box.join()}`;
    const { page, complaints } = await openPage(query, browser, own);
    await page.locator('#file-name', { hasText: 'body.nii.gz' }).waitFor();
    await state(page, 'ready');
    await runs(page, FORMULA);
    assert.match(await text(page, '#said'), /^The first run looks for left in the box of the address: 5, 9, 7, 23, 31, 23\.$/);
    const report = await segmented(page);
    assert.deepEqual(
      report.boxes.find(({ object }) => object === 'left'),
      { object: 'left', start: box.slice(0, 3), end: box.slice(3), side: 'left' },
    );
    assert.match(await text(page, '#requests'), /^0 /);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  const wrong = {
    'a web page': ['model=page', /page\/: found a web page, expected a folder with model\.json\.$/],
    'a name of no model': ['model=pancreas', /pancreas\/model\.json could not be fetched \(HTTP 404\): expected a folder/],
    'another server': [() => `model=${encodeURIComponent(`${other.url}mine/`)}`, /This page may fetch from its own server only/],
    'no address': ['model=http://[', /^Expected the name of a model \(hippocampus\) or its address, found http:\/\/\[\.$/],
    'a box of five numbers': ['box=1,2,3,4,5', /^Expected a box as X,Y,Z,X,Y,Z, .*, found 1,2,3,4,5\.$/],
    'a box without an inside': ['box=1,2,3,4,2,6', /found 1,2,3,4,2,6\.$/],
  };
  it('of an address that is wrong is named, and the shipped one runs', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(180_000);
    for (const [what, [query, said]] of Object.entries(wrong)) {
      await page.goto(`${own.url}?backend=cpu&sample=crop&${typeof query === 'string' ? query : query()}`);
      await state(page, 'error');
      assert.match(await text(page, '#error'), said, what);
      await runs(page, 'Hippocampus');
    }
    await segmented(page);
    assert.match(await text(page, '#made-by'), /^Made by: Hippocampus/);
    await page.close();
  });
});

describe('what is no model', () => {
  const card = JSON.parse(files['model.json']);
  const altered = (change) => Buffer.from(JSON.stringify({ ...card, ...change }));
  const weights = { ...files };
  delete weights['model.json'];
  const cases = {
    'an image': [{ 'T1.nii.gz': readFileSync(SAMPLE) }, /^T1\.nii\.gz: found no model, expected a folder or a \.zip/],
    'a picture': [{ 'a.png': Buffer.from('no model') }, /^a\.png: found no model/],
    'weights alone': [
      { 'patch-0.safetensors': files['patch-0.safetensors'] },
      /^patch-0\.safetensors: found weights without their model\.json/,
    ],
    'a card alone': [
      { 'model.json': files['model.json'] },
      /model\.json lists whole-0\.safetensors, patch-0\.safetensors, which are not among/,
    ],
    'a card that is empty': [{ 'model.json': Buffer.from('{}') }, /Expected a model card .* name: found nothing, expected a text\.$/],
    'a card that is a list': [{ 'model.json': Buffer.from('[]') }, /Expected a model card .* found an empty list\.$/],
    'a card without stages': [{ ...files, 'model.json': altered({ stages: null }) }, /stages: found null, expected whole and patch\.$/],
    'a card with an empty stage': [
      { ...files, 'model.json': altered({ stages: { whole: {}, patch: {} } }) },
      /stages\.whole\.architecture: found nothing/,
    ],
    'weights of another model': [{ ...files, 'patch-0.safetensors': files['whole-0.safetensors'] }, /SHA-256|sha256/i],
    'half a file of weights': [{ ...files, 'whole-0.safetensors': files['whole-0.safetensors'].subarray(0, 100) }, /whole-0|SHA-256/],
    'a zip that is none': [{ 'a.zip': Buffer.from('PK no zip') }, /^a\.zip: found a file that cannot be unpacked, expected a \.zip\.$/],
    'a zip of something else': [{ 'b.zip': Buffer.from(zipSync({ 'a.txt': Buffer.from('a') })) }, /^b\.zip: found no model/],
    'a zip of half a model': [{ 'c.zip': Buffer.from(zipSync({ 'model.json': files['model.json'] })) }, /lists whole-0\.safetensors/],
    'a zip that is cut': [{ 'd.zip': zip.subarray(0, zip.length / 2) }, /^d\.zip: found a file that cannot be unpacked/],
    'tuned weights of a model that is not here': [
      { 'e.safetensors': deltaOf(modelFiles(), {}, { base: 'liver' }) },
      /^e\.safetensors: found what was tuned of the model liver, which is not here: open that model first\.$/,
    ],
    'tuned weights of another architecture': [
      { 'f.safetensors': delta },
      /found the model hippocampus .* expected the one that it was tuned from/,
    ],
  };
  it('is refused in one sentence, and what ran goes on', async () => {
    const { page, complaints } = await openPage('?backend=cpu', browser, own);
    for (const [what, [given, said]] of Object.entries(cases)) {
      const earlier = await text(page, '#error');
      await page.locator('#model-file').setInputFiles(Object.entries(given).map(([name, bytes]) => file(name, bytes)));
      const isSaid = page.waitForFunction(
        ([earlier, source, flags]) => {
          const now = document.querySelector('#error').textContent;
          return now !== earlier && new RegExp(source, flags).test(now);
        },
        [earlier, said.source, said.flags],
        { timeout: 60_000 },
      );
      await isSaid.catch(async () => assert.match(await text(page, '#error'), said, what));
      const sentence = await text(page, '#error');
      assert.match(sentence, /^[^\n]+\.$/, what);
      assert.doesNotMatch(sentence, /undefined|null \(|not a function|reading '/, what);
      assert.equal((await titles(page)).length, 1, what);
    }
    await segmented(page);
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

describe('masks and corrections', () => {
  it('stay when the model changes, say what made them, and come back by undo', async () => {
    const { page, complaints } = await openPage('?backend=cpu', browser, own);
    await segmented(page);
    await page.locator('#slices').focus();
    for (const key of ['e', 'Space', 'v']) await page.keyboard.press(key);
    const corrected = await maskNow(page);
    await page.locator('#model-file').setInputFiles(join(folder, 'mine.zip'));
    await runs(page, FORMULA);
    await state(page, 'done');
    assert.match(await text(page, '#said'), /Masks stay as they are/);
    assert.match(await text(page, '#made-by'), /^Made by: Hippocampus.*\. The model that is chosen now is another one\.$/);
    assert.deepEqual(await maskNow(page), corrected);
    assert.equal(await page.locator('#box').isVisible(), false);
    assert.equal(await page.locator('#side').isVisible(), false);
    assert.match(await text(page, '#plan'), /Segmenting again replaces your corrections; Undo brings them back/);

    await segmented(page);
    assert.equal(await text(page, '#made-by'), `Made by: ${FORMULA}.`);
    assert.notDeepEqual(await maskNow(page), corrected);
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    assert.deepEqual(await maskNow(page), corrected);
    assert.match(await text(page, '#made-by'), /^Made by: Hippocampus/);
    const report = JSON.parse((await download(page, 'Report (.json)')).bytes);
    assert.equal(report.model.name, 'hippocampus');

    // Back to the shipped one, by the menu.
    await page.locator('#models').selectOption({ index: 0 });
    await runs(page, 'Hippocampus');
    await state(page, 'done');
    assert.doesNotMatch(await text(page, '#made-by'), /another one/);
    assert.equal(await page.locator('#box').isVisible(), true);
    assert.deepEqual(await maskNow(page), corrected);
    await assertAccessible(page, 'light');
    if (process.env.INSITU_PICTURES) await page.screenshot({ path: join(process.env.INSITU_PICTURES, 'models.png') });
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('of a tuned model say so; it is listed beside its base, which is still there', async () => {
    const { page, complaints } = await openPage('?backend=cpu', browser, own);
    await page.locator('#model-file').setInputFiles(join(folder, 'mine.zip'));
    await runs(page, FORMULA);
    await assertFormula(page);
    await dropPaths(page, [join(folder, 'tuned.safetensors')]);
    await page.locator('#models option:checked', { hasText: 'tuned (tuned.safetensors)' }).waitFor({ state: 'attached' });
    await state(page, 'done');
    await segmented(page);
    assert.equal(await text(page, '#made-by'), `Made by: ${FORMULA}, tuned.`);
    assert.equal(count(await maskNow(page), 1), 0);
    assert.equal((await titles(page)).length, 3);

    await page.locator('#models').selectOption({ index: 1 });
    await page.locator('#made-by', { hasText: 'another one' }).waitFor();
    await state(page, 'done');
    await segmented(page);
    assert.equal(count(await maskNow(page), 1), sizeOf('left'));
    // What was tuned waits in the menu.
    assert.equal((await titles(page)).length, 3);
    await page.locator('#models').selectOption({ index: 2 });
    await page.locator('#made-by', { hasText: 'another one' }).waitFor();
    assert.match(await chosen(page), /tuned \(tuned\.safetensors\)$/);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('of an own variant bear its name, whatever model runs later, and after a reload', async () => {
    const context = await browser.newContext();
    const { page, complaints } = await openPage('?backend=cpu', context, own);
    const reported = async () => JSON.parse((await download(page, 'Report (.json)')).bytes);
    await page.locator('#model-file').setInputFiles(join(folder, 'mine.zip'));
    await runs(page, FORMULA);
    await assertFormula(page);
    assert.equal((await reported()).ownVariant, undefined);
    for (const variant of ['Ours', 'Theirs']) {
      const bytes = deltaOf(files, { 'patch/out.bias': [-60_000, -60_000] }, { variant });
      await page.locator('#model-file').setInputFiles(file(`${variant}.safetensors`, bytes));
      await page.locator('#tuned', { hasText: variant }).waitFor();
      await state(page, 'done');
      const { tuned, ownVariant } = await reported();
      // The mask is still that of the model before.
      assert.deepEqual([tuned, ownVariant], variant === 'Ours' ? [false, undefined] : [true, 'Ours']);
      assert.match(await text(page, '#made-by'), /another one\.$/);
      if (variant === 'Ours') await segmented(page);
    }
    assert.match(await text(page, '#made-by'), /^Made by: Two objects by formula, your own variant “Ours”\./);
    await kept(page);
    await page.reload();
    await state(page, 'done');
    const { tuned, ownVariant } = await reported();
    assert.deepEqual([tuned, ownVariant], [true, 'Ours']);
    assert.deepEqual(complaints, []);
    await context.close();
  });
});
