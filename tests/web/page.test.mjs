/** The built page in headless Chromium: its runs, and its masks against those of the native command. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ask, nibabel, root } from '../../scripts/tools.mjs';
import { notRun } from '../not-run.mjs';
import { launch, launchIn, servePage } from './browser.mjs';
import { agreement, readNifti } from './nifti.mjs';
import { assertAccessible, browser, choose, download, opened, openPage, SAMPLE, segment, segmented, server, state } from './page.mjs';

const sample = readFileSync(SAMPLE);
const scratch = mkdtempSync(join(tmpdir(), 'insitu-page-'));
after(() => rmSync(scratch, { recursive: true }));

/** The sample's mask by the native command; undefined where the command has not been built. */
let native;
function nativeMask() {
  if (native) return native;
  const target = JSON.parse(ask('cargo', ['metadata', '--format-version', '1', '--no-deps'])).target_directory;
  const command = join(target, 'release', 'insitu');
  if (!existsSync(command)) return undefined;
  const out = join(scratch, 'native.nii.gz');
  execFileSync(command, ['segment', SAMPLE, '-o', out], {
    env: { ...process.env, INSITU_MODELS: join(root, 'pkg/models') },
    stdio: 'inherit',
  });
  return (native = readNifti(readFileSync(out)));
}

function assertSameMask(t, bytes) {
  const expected = nativeMask();
  if (!expected) return notRun(t, 'build', 'the native command is not built (cargo build --release --features cli)');
  const found = readNifti(bytes);
  assert.deepEqual(found.dims, expected.dims);
  const { union, share } = agreement(found.voxels, expected.voxels);
  assert.ok(union > 100, `the masks hold ${union} voxels`);
  t.diagnostic(`${(100 * share).toFixed(3)} % of ${union} foreground voxels agree with the native mask`);
  assert.ok(share >= 0.999, `${(100 * share).toFixed(3)} % agree`);
}

describe('the sample', () => {
  it('is segmented on the CPU as by the native command', async (t) => {
    const { page, complaints } = await openPage('?backend=cpu');
    const report = await segmented(page);
    assert.equal(report.backend, 'cpu');
    assert.equal(report.gpuSubmits, 0);
    assert.match(await page.locator('#backend').textContent(), /CPU/);
    const rows = await page.locator('#classes tr').allTextContents();
    assert.ok(rows.length >= 2 && rows.every((row) => /\d mL$/.test(row)), rows.join('; '));
    assert.match(await page.locator('#result').textContent(), /Not a medical device. Not for diagnosis./);
    const { bytes } = await download(page);
    assert.deepEqual(complaints, []);
    await page.close();
    assertSameMask(t, bytes);
  });

  it('is segmented on WebGPU as by the native command', async (t) => {
    const { page, complaints } = await openPage('?backend=webgpu');
    const report = await segmented(page);
    assert.equal(report.backend, 'webgpu');
    assert.notEqual(report.adapter, '');
    assert.ok(report.gpuSubmits > 0, `${report.gpuSubmits} submits`);
    assert.match(await page.locator('#backend').textContent(), /GPU/);
    const { bytes } = await download(page);
    assert.deepEqual(complaints, []);
    await page.close();
    assertSameMask(t, bytes);
  });

  it('is drawn with the labels in their colours', async () => {
    const { page } = await openPage('?backend=cpu');
    await page.locator('#opacity').fill('1');
    await segmented(page);
    const wanted = await page
      .locator('.swatch')
      .evaluateAll((all) => all.map((swatch) => getComputedStyle(swatch).backgroundColor.match(/\d+/g).map(Number)));
    const shot = (await page.locator('#slices').screenshot()).toString('base64');
    // The browser decodes its own screenshot: how many pixels are near each label's colour?
    const counts = await page.evaluate(
      async ({ shot, wanted }) => {
        const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(shot), (c) => c.charCodeAt(0))], { type: 'image/png' }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
        return wanted.map((color) => {
          let near = 0;
          for (let i = 0; i < data.length; i += 4) near += color.every((value, c) => Math.abs(data[i + c] - value) < 24);
          return near;
        });
      },
      { shot, wanted },
    );
    assert.ok(
      counts.some((count) => count > 50),
      `pixels in the labels' colours: ${counts}`,
    );
    await page.close();
  });
});

describe('the first mask, on the CPU', () => {
  const timed = (which, query) => async (t) => {
    const cached = await servePage({ cached: true });
    const context = await launchIn(join(scratch, `profile-${which}`));
    // The moments of the page's states, and of the frame that follows its last one.
    await context.addInitScript(() => {
      window.reached = {};
      const note = () => {
        const name = document.documentElement.dataset.state;
        reached[name] ??= performance.now();
        if (name === 'done') requestAnimationFrame(() => requestAnimationFrame(() => (reached.shown ??= performance.now())));
      };
      new MutationObserver(note).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-state'] });
    });
    /** Milliseconds from the start of the navigation to the mask, with a person who presses the button as soon as it can be pressed. */
    const opening = async () => {
      const page = await context.newPage();
      await page.goto(cached.url + query, { waitUntil: 'commit' });
      await segment(page);
      await state(page, 'done', 'error');
      assert.equal(await page.locator('#error').textContent(), '');
      await page.waitForFunction(() => reached.shown);
      const { reached, transferred } = await page.evaluate(() => {
        const transferred = performance.getEntriesByType('resource').reduce((sum, { transferSize }) => sum + transferSize, 0);
        return { reached, transferred };
      });
      await page.close();
      return { ...reached, transferred };
    };
    const openings = [];
    for (let i = 0; i < 4; i++) openings.push(await opening());
    await context.close();
    await cached.close();
    for (const [i, { ready, running, shown, transferred }] of openings.entries()) {
      const words = [ready, running, shown].map((ms) => (ms / 1000).toFixed(2));
      t.diagnostic(
        `${i === 0 ? 'cold' : 'warm'}: ready at ${words[0]} s, pressed at ${words[1]} s, mask at ${words[2]} s; ${transferred} bytes fetched`,
      );
    }
    const warm = openings.slice(1).filter(({ transferred }) => transferred === 0);
    assert.ok(warm.length > 0, 'the browser fetched again what it has');
    const [fastest, cold] = [Math.min(...warm.map(({ shown }) => shown)), openings[0].shown];
    assert.ok(fastest < cold, `${fastest} ms, at first ${cold} ms`);
  };
  const fact = (which) => `of the sample ${which} is shown sooner where the browser has the files, which are then not fetched again`;
  it(fact('head'), timed('head', '?backend=cpu'));
  it(fact('crop'), timed('crop', '?backend=cpu&sample=crop'));
});

describe('the page', () => {
  for (const colorScheme of ['light', 'dark']) {
    it(`has no violation that axe-core finds, ${colorScheme}, with a result shown and at phone width`, async () => {
      const { page } = await openPage('?backend=cpu');
      await segmented(page);
      await assertAccessible(page, colorScheme);
      await page.close();
    });
  }
});

describe('the backend', () => {
  it('is the CPU where there is no WebGPU, and the page says why', async () => {
    const plain = await launch({ webgpu: false });
    const { page } = await openPage('', plain);
    assert.match(await page.locator('#backend').textContent(), /CPU/);
    assert.match(await page.locator('#why').textContent(), /because .*WebGPU/);
    await plain.close();
  });

  it('is the CPU where the only adapter is a software emulation, and the page says so', async () => {
    const { page } = await openPage();
    assert.match(await page.locator('#why').textContent(), /SwiftShader.*software emulation/);
    await page.close();
  });

  it('is the CPU with threads where the server isolates the page, and the mask is the same', async (t) => {
    if (!existsSync(join(root, 'pkg/wasm/threads/insitu_seg_bg.wasm'))) return notRun(t, 'build', 'pkg/wasm/threads is not built');
    const isolated = await servePage({ isolated: true });
    const [one, several] = [await openPage('?backend=cpu'), await openPage('?backend=cpu', browser, isolated)];
    const cores = await several.page.evaluate(() => navigator.hardwareConcurrency);
    if (cores === 1) return notRun(t, 'machine', 'it has one core');
    assert.match(await one.page.locator('#backend').textContent(), /CPU$/);
    assert.match(await several.page.locator('#backend').textContent(), /CPU, \d+ threads/);
    assert.match(await several.page.locator('#why').textContent(), /uses \d+ threads/);
    const reports = [await segmented(one.page), await segmented(several.page)];
    assert.deepEqual(
      reports.map(({ artifact }) => artifact),
      ['cpu', 'threads'],
    );
    const [a, b] = [await download(one.page), await download(several.page)];
    assert.deepEqual(a.bytes, b.bytes);
    assert.deepEqual(several.complaints, []);
    await one.page.close();
    await several.page.close();
    await isolated.close();
  });

  it('that was asked for and cannot be had is an error in one sentence', async () => {
    const plain = await launch({ webgpu: false });
    const page = await plain.newPage();
    await page.goto(`${server.url}?backend=webgpu`);
    await state(page, 'error');
    assert.match(await page.locator('#error').textContent(), /^WebGPU was asked for, but .*\.$/);
    await plain.close();
  });
});

describe('the downloaded mask', () => {
  let mask;
  let nrrd;
  before(async () => {
    const { page } = await openPage('?backend=cpu');
    await segmented(page);
    mask = await download(page);
    nrrd = await download(page, 'Download for 3D Slicer');
    await page.close();
  });

  it('has the name, the grid and the sform of its image', () => {
    const input = readNifti(sample);
    const output = readNifti(mask.bytes);
    assert.match(mask.name, /_mask\.nii\.gz$/);
    assert.deepEqual(output.dims, input.dims);
    assert.deepEqual(output.sform, input.sform);
    assert.equal(output.sformCode, input.sformCode);
    assert.equal(
      output.voxels.length,
      output.dims.reduce((a, b) => a * b),
    );
  });

  it('comes for 3D Slicer too, with the names of its labels', () => {
    assert.match(nrrd.name, /_mask\.seg\.nrrd$/);
    const end = nrrd.bytes.indexOf('\n\n');
    const header = nrrd.bytes.subarray(0, end).toString();
    assert.ok(header.startsWith('NRRD0004\n'), header.slice(0, 40));
    assert.match(header, /^Segment0_Name:=\S/m);
    assert.match(header, /^Segment0_Color:=\S/m);
    assert.match(header, /^encoding: gzip$/m);
    assert.deepEqual(gunzipSync(nrrd.bytes.subarray(end + 2)), readNifti(mask.bytes).voxels);
  });

  it('opens in nibabel with the shape and the affine of its image', (t) => {
    const python = nibabel();
    if (python === null) return notRun(t, 'python', 'there is no Python with nibabel');
    const path = join(scratch, 'mask.nii.gz');
    writeFileSync(path, mask.bytes);
    const script =
      'import sys, nibabel, numpy; a, b = map(nibabel.load, sys.argv[1:]); print(a.shape == b.shape and numpy.array_equal(a.affine, b.affine), int(numpy.asanyarray(b.dataobj).max()))';
    const [same, highest] = ask(python, ['-c', script, SAMPLE, path]).trim().split(' ');
    assert.equal(same, 'True');
    assert.ok(Number(highest) > 0);
  });
});

describe('a run', () => {
  it('is cancelled long before its end, and the next one works', async () => {
    const { page } = await openPage('?backend=cpu&sample=head');
    await segment(page);
    const cancel = page.getByRole('button', { name: 'Cancel' });
    await cancel.waitFor();
    const took = await page.evaluate(async () => {
      const started = performance.now();
      document.getElementById('cancel').click();
      while (document.documentElement.dataset.state === 'running') await new Promise(requestAnimationFrame);
      return performance.now() - started;
    });
    assert.equal(await page.locator('html').getAttribute('data-state'), 'ready');
    const again = performance.now();
    await segmented(page);
    const whole = performance.now() - again;
    assert.ok(took < 0.5 * whole, `${took} ms of ${whole}`);
    await page.close();
  });

  it('takes a file of the user, and the mask has its name', async () => {
    const { page } = await openPage('?backend=cpu');
    await choose(page, { 'patient-7.nii.gz': sample });
    await opened(page, 'patient-7.nii.gz');
    await segmented(page);
    assert.equal((await download(page)).name, 'patient-7_mask.nii.gz');
    await page.close();
  });

  it('asks the server for nothing, from ready to the saved mask, and works with the server gone', async () => {
    const own = await servePage();
    const page = await browser.newPage();
    await page.goto(`${own.url}?backend=cpu`);
    await state(page, 'ready');
    await page.locator('html[data-offline=ready]').waitFor({ state: 'attached' });
    const before = own.requests.length;
    const asked = [];
    page.on('request', (request) => !request.url().startsWith('blob:') && asked.push(request.url()));
    await own.close();
    await segmented(page);
    await download(page);
    assert.deepEqual(asked, []);
    assert.equal(own.requests.length, before);
    await page.close();
  });

  it('on a GPU that reports an error never shows what that GPU made: it is made again, and the mask is right', async (t) => {
    const { page } = await openPage('?backend=webgpu');
    const [worker] = page.workers();
    await worker.evaluate(() => {
      const { createCommandEncoder } = GPUDevice.prototype;
      GPUDevice.prototype.createCommandEncoder = function (...args) {
        this.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
        return createCommandEncoder.apply(this, args);
      };
    });
    await segmented(page);
    const { bytes } = await download(page);
    await page.close();
    assertSameMask(t, bytes);
  });
});
