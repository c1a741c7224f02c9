/**
 * A person's hour with eight patients, as one story: the files dropped on the slices, all segmented, three corrected in the way of the
 * person's lab, the model taught, kept as the lab's own variant, a mask of 3D Slicer laid over and compared, everything exported,
 * the page closed, and opened again. `npm run test:story`; STORY_PICTURES names a folder for pictures of it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { dropPaths } from './drop.mjs';
import { readNifti } from './nifti.mjs';
import { browser, download, openPage, SAMPLE, server, state } from './page.mjs';
import { smaller } from './shades.mjs';
import { correctSlices, truth } from './teaching.mjs';

const COUNT = 8;
const VARIANT = 'Our wide hippocampus';
/** So long it is taught at first. A machine that does other things besides takes few steps in that time: then longer, as a person would. */
const MINUTES = Number(process.env.STORY_MINUTES ?? 4);
const MOST_MINUTES = 8 * MINUTES;
const scratch = mkdtempSync(join(tmpdir(), 'insitu-story-'));
const pictures = process.env.STORY_PICTURES;
after(() => rmSync(scratch, { recursive: true }));

/** The sample with a little noise, which is another for each patient. */
function patient(number) {
  const bytes = Buffer.from(gunzipSync(readFileSync(SAMPLE)));
  let seed = number;
  for (let i = 352; i < bytes.length; i++) {
    seed = (1_103_515_245 * seed + 12_345) % 2 ** 31;
    // The low byte of an int16, or all of a byte: a shade or two.
    if (i % 2 === 0) bytes[i] = Math.max(0, Math.min(255, bytes[i] + ((seed >> 16) % 3) - 1));
  }
  return gzipSync(bytes);
}

/** The true labels as 3D Slicer saves a segmentation. */
function slicerMask() {
  const direction = (axis) => `(${[-1, -1, 1].map((sign, row) => sign * truth.sform[row][axis]).join(',')})`;
  const header = [
    'NRRD0004',
    'type: unsigned char',
    'dimension: 3',
    'space: left-posterior-superior',
    `sizes: ${truth.dims.join(' ')}`,
    `space directions: ${[0, 1, 2].map(direction).join(' ')}`,
    'kinds: domain domain domain',
    'encoding: gzip',
    `space origin: ${direction(3)}`,
    ...['Left anterior hippocampus', 'Left posterior hippocampus'].flatMap((name, i) => [
      `Segment${i}_LabelValue:=${i + 1}`,
      `Segment${i}_Layer:=0`,
      `Segment${i}_Name:=${name}`,
      `Segment${i}_Color:=${i} 0.5 0.25`,
    ]),
  ];
  return Buffer.concat([Buffer.from(`${header.join('\n')}\n\n`), gzipSync(truth.voxels)]);
}

const maskNow = async (page) => readNifti((await download(page)).bytes).voxels;

/** Opens a volume of the list. */
async function look(page, name) {
  await page.locator('#cases li > button:first-child', { hasText: name }).click();
  await page.locator('#file-name', { hasText: name }).waitFor();
  await state(page, 'done', 'ready');
}

/** Waits for the verdict of a tuning, however slow the machine: as long as it says that it goes on. */
async function tuned(page) {
  const told = () =>
    page.evaluate(() => ['#tune-words', '#tune-count', '#curves-words'].map((id) => document.querySelector(id).textContent).join());
  for (let last; ; last = await told()) {
    const ended = page.locator('html[data-state=done], html[data-state=error]').waitFor({ state: 'attached', timeout: 300_000 });
    if (
      await ended.then(
        () => true,
        () => false,
      )
    )
      break;
    assert.notEqual(await told(), last, 'the tuning stands still');
  }
  await page.locator('#verdict').waitFor();
}

async function picture(page, name) {
  if (!pictures) return;
  await page.waitForTimeout(500);
  const [shot, box] = [await page.screenshot(), await page.locator('#slices').boundingBox()];
  const blank = await browser.newPage();
  writeFileSync(join(pictures, `${name}.png`), await smaller(blank, shot, box));
  await blank.close();
}

describe('an hour with eight patients', () => {
  let context;
  let page;
  let complaints;
  let kept;
  before(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    ({ page, complaints } = await openPage('?backend=cpu', context));
  });
  after(() => context.close());

  it('begins with eight files, dropped on the slices', async () => {
    const paths = Array.from({ length: COUNT }, (_, i) => {
      const path = join(scratch, `patient-${i + 1}.nii.gz`);
      writeFileSync(path, patient(i + 1));
      return path;
    });
    await dropPaths(page, paths);
    await page.locator('#file-name', { hasText: 'patient-1' }).waitFor();
    await state(page, 'ready');
    assert.equal(await page.locator('#cases li').count(), COUNT);
  });

  it('goes on with all of them segmented, and their volumes in one table', async () => {
    await page.locator('#segment-all').click();
    await page.locator('#said', { hasText: /^All volumes are segmented: 8/ }).waitFor({ timeout: 900_000 });
    assert.equal(await page.locator('#all-rows tr').count(), COUNT);
    assert.deepEqual(new Set(await page.locator('#cases li .quiet').allTextContents()), new Set(['segmented']));
    await page.locator('#all').scrollIntoViewIfNeeded();
    await picture(page, 'story-all');
  });

  it('three are corrected in the way of this lab, by the keyboard, with advice on what comes next', async () => {
    for (const [i, advice] of [/correct patient-\d\.nii\.gz too/, /Enough to begin/, /Enough to begin/].entries()) {
      await look(page, `patient-${i + 1}.nii.gz`);
      await correctSlices(page, { scale: 1.25 });
      assert.match(await page.locator('#advice').textContent(), advice);
    }
    assert.match(await page.locator('#teach-found').textContent(), /, \d+ checked slices, in 3 volumes\.$/);
  });

  it('the model is taught, and not taken, as the example that came with it gets worse: a variant is offered', async (t) => {
    for (let minutes = MINUTES; minutes <= MOST_MINUTES; minutes *= 2) {
      await page.locator('#minutes').fill(String(minutes));
      await page.locator('#tune').click();
      await state(page, 'tuning');
      await tuned(page);
      t.diagnostic(`${minutes} min: ${(await page.locator('#verdict-rows tr').allTextContents()).join('; ')}`);
      if ((await page.locator('#verdict').getAttribute('data-verdict')) !== 'refused') break;
    }
    assert.equal(await page.locator('#verdict').getAttribute('data-verdict'), 'variant');
    assert.match(await page.locator('#verdict-words').textContent(), /^Not taken, .* [23] of your images gain 0\.01 or more,/);
    assert.equal(await page.locator('#tuned').isVisible(), false);
    const refused = await download(page, 'Save the refused model to look at it');
    assert.match(refused.name, /-refused\.safetensors$/);
    await page.locator('#verdict').scrollIntoViewIfNeeded();
    await picture(page, 'story-variant');
  });

  it('it is kept as a variant under a name, which page and file bear; before and after can be compared', async () => {
    const before = await maskNow(page);
    await page.locator('#variant-name').fill(VARIANT);
    await page.locator('#keep-variant').click();
    await page.locator('#tuned', { hasText: VARIANT }).waitFor();
    await page.locator('#compare-field').waitFor();
    await state(page, 'done');
    assert.match(await page.locator('#model').textContent(), new RegExp(`own variant: ${VARIANT}`));
    const saved = await download(page, 'Save the tuned model');
    assert.match(saved.name, /-variant-Our-wide-hippocampus\.safetensors$/);
    kept = await maskNow(page);
    assert.notDeepEqual(kept, before, 'the variant has segmented anew');
    await page.locator('#compare').fill('0');
    await page.locator('#compare').fill('1');
  });

  it('a mask of 3D Slicer is laid over another patient, and compared by its Dice', async (t) => {
    await look(page, 'patient-5.nii.gz');
    await page.locator('#mask').setInputFiles({ name: 'by-hand.seg.nrrd', mimeType: '', buffer: slicerMask() });
    await page.locator('#said', { hasText: 'Imported: by-hand.seg.nrrd' }).waitFor();
    const said = await page.locator('#said').textContent();
    t.diagnostic(said);
    const dices = [...said.matchAll(/ (0\.\d+)/g)].map(([, value]) => Number(value));
    assert.ok(dices.length === 2 && dices.every((dice) => dice > 0.8), said);
    assert.deepEqual(Buffer.from(await maskNow(page)), Buffer.from(truth.voxels));
    await page.locator('#h-image').scrollIntoViewIfNeeded();
    await picture(page, 'story-import');
  });

  it('everything is exported: a folder for each patient, one table, the variant named in the reports', async () => {
    const { bytes } = await download(page, 'Files of all volumes (.zip)');
    const files = unzipSync(bytes);
    for (let i = 1; i <= COUNT; i++) assert.ok(files[`patient-${i}/patient-${i}_mask.nii.gz`], `patient-${i}`);
    assert.equal(Buffer.from(files['volumes.csv']).toString().trimEnd().split('\n').length, 1 + 2 * COUNT);
    // The variant segmented the patient that was open; the masks of the others are still the shipped model's, and say so.
    const madeBy = (name) => JSON.parse(Buffer.from(files[`${name}/${name}_report.json`])).ownVariant;
    assert.deepEqual(['patient-3', 'patient-1'].map(madeBy), [VARIANT, undefined]);
    const imported = readNifti(Buffer.from(files['patient-5/patient-5_mask.nii.gz'])).voxels;
    assert.deepEqual(Buffer.from(imported), Buffer.from(truth.voxels));
  });

  it('the page is closed, and everything is there when the person comes back', async () => {
    await look(page, 'patient-3.nii.gz');
    await page.locator('#kept', { hasText: 'kept' }).waitFor();
    await page.locator('html[data-kept=yes]').waitFor({ state: 'attached' });
    await page.close();
    page = await context.newPage();
    page.setDefaultTimeout(180_000);
    await page.goto(`${server.url}?backend=cpu&sample=crop`);
    await state(page, 'done', 'error');
    assert.equal(await page.locator('#error').textContent(), '');
    assert.match(await page.locator('#said').textContent(), /^Restored from your last visit: patient-3/);
    assert.equal(await page.locator('#cases li').count(), COUNT);
    assert.match(await page.locator('#tuned').textContent(), new RegExp(VARIANT));
    assert.deepEqual(await maskNow(page), kept);
    assert.match(await page.locator('#teach-found').textContent(), /checked slices, in \d volumes\.$/);
    await look(page, 'patient-5.nii.gz');
    assert.deepEqual(Buffer.from(await maskNow(page)), Buffer.from(truth.voxels));
    assert.deepEqual(complaints, []);
  });
});

if (pictures) mkdirSync(pictures, { recursive: true });
