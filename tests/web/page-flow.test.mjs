/** The page as a person uses it, from a file of their own to the files they take home, and again after a reload. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { unzipSync } from 'fflate';
import { ask, root } from '../../scripts/tools.mjs';
import { cannotRun } from '../not-run.mjs';
import { dicomSeries } from './dicom.mjs';
import { agreement, readNifti } from './nifti.mjs';
import { browser, choose, download, kept, opened, openPage, SAMPLE, segmented, server, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
const scratch = mkdtempSync(join(tmpdir(), 'insitu-flow-'));
after(() => rmSync(scratch, { recursive: true }));

const labelsOf = (bytes) => readNifti(bytes).voxels;
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const maskNow = async (page) => labelsOf((await download(page)).bytes);

/** A stroke across the axial slice, which is shown alone. */
async function stroke(page, from, to) {
  const { x, y, width, height } = await page.locator('#slices').boundingBox();
  const at = ([u, v]) => [x + u * width, y + v * height];
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 6 });
  await page.mouse.up();
}

async function withMask(query = '?backend=cpu', from = browser) {
  const opening = await openPage(query, from);
  await choose(opening.page, { 'patient-9.nii.gz': sample });
  await opened(opening.page, 'patient-9.nii.gz');
  await segmented(opening.page);
  return opening;
}

describe('from a file to what is taken home', () => {
  it('takes at most three actions to the first mask of one’s own file', async (t) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const started = performance.now();
    await page.goto(`${server.url}?backend=cpu`); // 1: open the page
    await state(page, 'ready');
    const ready = performance.now();
    await choose(page, { 'mine.nii.gz': sample }); // 2: choose a file, or drop it
    await opened(page, 'mine.nii.gz');
    await page.locator('#segment').click(); // 3: press Segment
    await state(page, 'done', 'error');
    const seconds = (from) => ((performance.now() - from) / 1000).toFixed(1);
    t.diagnostic(
      `opening the page to the first mask of one's own file: ${seconds(started)} s, of which the page loaded for ${((ready - started) / 1000).toFixed(1)} s; three actions`,
    );
    assert.match(await page.locator('#result').textContent(), /Not a medical device/);
    await context.close();
  });

  it('corrects, undoes, redoes, exports, and is there again after a reload', async (t) => {
    const context = await browser.newContext({ acceptDownloads: true });
    const { page, complaints } = await withMask('?backend=cpu', context);
    const first = await maskNow(page);

    // Correct: a stroke of the first label, an eraser through it.
    await press(page, 'Axial');
    await press(page, 'Brush');
    await stroke(page, [0.42, 0.3], [0.6, 0.35]);
    const painted = await maskNow(page);
    assert.ok(agreement(first, painted).share < 1, 'the stroke changed nothing');
    await press(page, 'Eraser');
    await stroke(page, [0.5, 0.2], [0.5, 0.5]);
    const erased = await maskNow(page);
    assert.notDeepEqual(erased, painted);

    // Undo and redo, to the first mask and back.
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), painted);
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), first);
    assert.match(await page.locator('#said').textContent(), /Undone: stroke/);
    await press(page, 'Redo');
    await press(page, 'Redo');
    assert.deepEqual(await maskNow(page), erased);

    // Names and colours, which can be undone too.
    const name = page.locator('#classes tr:first-child .name');
    await name.fill('Head, "corrected"');
    await name.press('Enter');
    await page.locator('#classes input[type=color]').first().fill('#cc79a7');
    await press(page, 'Undo');
    assert.equal(await page.locator('#classes input[type=color]').first().inputValue(), '#e69f00');
    await press(page, 'Redo');

    // Everything as one zip, and each file by a reader of its own.
    const zip = await download(page, 'All as one .zip');
    assert.equal(zip.name, 'patient-9_insitu.zip');
    const files = unzipSync(zip.bytes);
    const names = Object.keys(files).sort();
    assert.deepEqual(names, [
      'patient-9_1-Head-corrected.stl',
      'patient-9_2-Left-posterior-hippocampus.stl',
      'patient-9_mask.nii.gz',
      'patient-9_mask.seg.nrrd',
      'patient-9_report.json',
      'patient-9_view.png',
      'patient-9_volumes.csv',
    ]);
    assert.deepEqual(labelsOf(Buffer.from(files['patient-9_mask.nii.gz'])), erased);
    const report = JSON.parse(Buffer.from(files['patient-9_report.json']));
    assert.ok(report.correctedVoxels > 0);
    assert.match(report.input.sha256, /^[0-9a-f]{64}$/);
    assert.match(report.disclaimer, /Not a medical device/);
    const csv = Buffer.from(files['patient-9_volumes.csv']).toString().split('\n');
    assert.match(csv[1], /^1,"Head, ""corrected""",\d+,\d+\.\d{4}$/);
    assert.equal(Number(csv[1].split(',').at(-2)), erased.filter((value) => value === 1).length);
    assert.deepEqual(files['patient-9_view.png'].slice(0, 4), new Uint8Array([0x89, 0x50, 0x4e, 0x47]));
    readByOthers(t, files, erased);
    assert.equal(await page.locator('#requests').textContent(), '0 network requests since loading');

    // Close the tab and come back.
    await kept(page);
    await page.reload();
    await state(page, 'done', 'error');
    assert.match(await page.locator('#said').textContent(), /Restored from your last visit: patient-9.nii.gz/);
    assert.equal(await page.locator('#classes tr:first-child .name').inputValue(), 'Head, "corrected"');
    assert.deepEqual(await maskNow(page), erased);
    await press(page, 'Brush');
    await press(page, 'Axial');
    await stroke(page, [0.42, 0.5], [0.6, 0.5]);
    assert.notDeepEqual(await maskNow(page), erased);
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), erased);

    // And be forgotten.
    await press(page, 'Forget what is kept in this browser');
    await page.locator('#kept', { hasText: 'Nothing is kept' }).waitFor();
    await page.reload();
    await state(page, 'ready', 'done', 'error');
    assert.equal(await page.locator('html').getAttribute('data-state'), 'ready');
    assert.equal(await page.locator('#file-name').textContent(), 'Sample crop');
    assert.deepEqual(complaints, []);
    await context.close();
  });
});

/** nibabel, pynrrd, numpy-stl and unzip, where they are at hand, open what was saved. */
function readByOthers(t, files, labels) {
  const python = [join(root, '.venv/bin/python'), 'python3'].find((found) => ask(found, ['-c', 'import nibabel, nrrd, numpy']) !== null);
  if (!python) return void cannotRun(t.name, 'python', 'there is no Python with nibabel and pynrrd');
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(scratch, name), bytes);
  writeFileSync(join(scratch, 'labels.bin'), labels);
  const script = `
import glob, sys, struct, nibabel, nrrd, numpy as np
folder, image = sys.argv[1:]
a, b = nibabel.load(image), nibabel.load(folder + '/patient-9_mask.nii.gz')
labels = np.fromfile(folder + '/labels.bin', np.uint8).reshape(b.shape, order='F')
assert a.shape == b.shape and np.array_equal(a.affine, b.affine)
assert np.array_equal(np.asanyarray(b.dataobj), labels)
voxels, head = nrrd.read(folder + '/patient-9_mask.seg.nrrd')
assert np.array_equal(voxels, labels)
assert head['Segment0_Name'] == 'Head, "corrected"', head['Segment0_Name']
assert head['Segment0_Color'].startswith('0.8'), head['Segment0_Color']
for surface in sorted(glob.glob(folder + '/patient-9_*.stl')):
    name = surface.split('patient-9_')[-1]
    index = int(name[0])
    raw = open(surface, 'rb').read()
    try:
        from stl import mesh
        triangles = mesh.Mesh.from_file(surface).vectors.astype(float)
        reader = 'numpy-stl'
    except ImportError:
        count = struct.unpack('<I', raw[80:84])[0]
        triangles = np.frombuffer(raw[84:], np.dtype([('n', '<3f4'), ('v', '<9f4'), ('a', '<u2')]))['v'].reshape(count, 3, 3).astype(float)
        reader = 'numpy'
    # The surface is closed, faces outwards, and holds about what the voxels hold, where they are.
    edges = {}
    for one in triangles.round(4):
        for i in range(3):
            key = (tuple(one[i]), tuple(one[(i + 1) % 3]))
            edges[key] = edges.get(key, 0) + 1
    assert all(edges.get((b, a), 0) == n for (a, b), n in edges.items()), 'the surface is open'
    volume = np.einsum('ij,ij->i', triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])).sum() / 6
    wanted = (labels == index).sum() * abs(np.linalg.det(b.affine[:3, :3]))
    assert abs(volume - wanted) < 0.12 * wanted, (volume, wanted)
    places = nibabel.affines.apply_affine(b.affine, np.argwhere(labels == index))
    assert np.abs(triangles.reshape(-1, 3).min(0) - places.min(0)).max() < 1.01 and np.abs(triangles.reshape(-1, 3).max(0) - places.max(0)).max() < 1.01
    print(reader, name, len(triangles), 'triangles', round(volume), 'of', round(wanted), 'mm3')
`;
  t.diagnostic(execFileSync(python, ['-c', script, scratch, SAMPLE]).toString().trim().replaceAll('\n', '; '));
  const listed = ask('unzip', ['-v']);
  if (listed === null) return void cannotRun(t.name, 'machine', 'there is no unzip');
  return undefined;
}

describe('the forecast of a run', () => {
  it('is made after all where the run was begun before it, and cancelled', async () => {
    const { page } = await openPage('?backend=cpu');
    // The head, of which a run takes seconds; segmented as soon as it can be.
    await page.evaluate(async () => {
      const { dataset } = document.documentElement;
      document.getElementById('sample-head').click();
      while (dataset.state === 'ready') await new Promise(requestAnimationFrame);
      while (dataset.state !== 'ready') await new Promise(requestAnimationFrame);
      document.getElementById('segment').click();
    });
    await page.waitForTimeout(700);
    assert.equal(await page.locator('#plan').textContent(), 'Planning…');
    await press(page, 'Cancel');
    await state(page, 'ready');
    await page.locator('#plan', { hasText: /^Planned: about / }).waitFor({ timeout: 60_000 });
    await page.close();
  });
});

describe('the box of the second network', () => {
  it('is drawn, dragged, typed, and run again: nothing is outside it, and its own box gives the same mask', async () => {
    const { page } = await withMask();
    const first = await maskNow(page);
    await page.locator('#box summary').click();
    await press(page, 'Segment again in this box');
    await state(page, 'done', 'error');
    assert.deepEqual(await maskNow(page), first);

    // Drag the upper side in the coronal slice down.
    await press(page, 'Coronal');
    await page.waitForTimeout(300);
    const upper = page.locator('#overlay g > g .side.along').last();
    const before = Number(await page.getByLabel('S to').inputValue());
    const line = await upper.evaluate((side) => ['x1', 'x2', 'y1'].map((name) => Number(side.getAttribute(name))));
    const { x, y } = await page.locator('#overlay').boundingBox();
    const at = [x + (line[0] + line[1]) / 2, y + line[2]];
    await page.mouse.move(...at);
    await page.mouse.down();
    await page.mouse.move(at[0], at[1] + 120, { steps: 5 });
    await page.mouse.up();
    const dragged = Number(await page.getByLabel('S to').inputValue());
    assert.ok(dragged < before, `${dragged} is not below ${before}`);
    await page.getByLabel('R from').fill('6');
    await page.getByLabel('R from').press('Tab');
    await press(page, 'Segment again in this box');
    await state(page, 'done', 'error');
    assert.equal(await page.locator('#error').textContent(), '');
    const { bytes } = await download(page);
    const { dims, voxels } = readNifti(bytes);
    assert.ok(voxels.some((value) => value > 0));
    voxels.forEach((value, i) => value > 0 && assert.ok(i % dims[0] >= 6 && Math.floor(i / dims[0] / dims[1]) < dragged));
    await press(page, 'Undo');
    assert.deepEqual(await maskNow(page), first);
    await page.close();
  });
});

describe('DICOM', () => {
  it('is converted in the tab: series to choose from, the largest first, and no name of a patient anywhere', async () => {
    const { page, complaints } = await openPage('?backend=cpu');
    await choose(page, {
      ...dicomSeries(sample, { series: 2, description: 'scout', slices: 3 }),
      ...dicomSeries(sample, { series: 5, description: 'T1' }),
    });
    await page.locator('#dicom-pick').waitFor({ timeout: 60_000 });
    const series = await page.locator('#dicom-series option').allTextContents();
    assert.equal(series.length, 2);
    assert.match(series[0], /T1.*34 × 49 × 34/);
    await press(page, 'Open series');
    await opened(page, '5_T1');
    await segmented(page);
    // The same image by another road: the same mask, but for the axes of the file.
    const found = await maskNow(page);
    const expected = await (async () => {
      const other = await openPage('?backend=cpu');
      await segmented(other.page);
      const mask = await maskNow(other.page);
      await other.page.close();
      return mask;
    })();
    const count = (mask, value) => mask.filter((one) => one === value).length;
    for (const value of [1, 2])
      assert.ok(
        Math.abs(count(found, value) - count(expected, value)) <= 0.03 * count(expected, value) + 5,
        `${count(found, value)} and ${count(expected, value)} voxels of ${value}`,
      );
    const zip = unzipSync((await download(page, 'All as one .zip')).bytes);
    for (const [name, bytes] of Object.entries(zip)) {
      assert.doesNotMatch(name, /secret/i);
      if (/json|csv/.test(name)) assert.doesNotMatch(Buffer.from(bytes).toString(), /secret/i);
    }
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

describe('the other language', () => {
  it('is chosen by the address or the field, and speaks everywhere', async () => {
    const { page } = await withMask('?backend=cpu&lang=de');
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    assert.match(await page.locator('#result').textContent(), /Kein Medizinprodukt/);
    assert.match(await page.locator('#classes tr').first().textContent(), /\d,\d+ mL$/);
    assert.match(await page.locator('#said').textContent(), /Fertig in/);
    await page.locator('#language').selectOption('en');
    await page.locator('h2', { hasText: 'Image' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    await page.close();
  });
});
