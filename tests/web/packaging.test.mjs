/** Packed, installed elsewhere, bundled as the README says, and run: what a user of the package does in the first hour. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { addressOf, assertDrawing, coloured } from './apps.mjs';
import { launch, serve } from './browser.mjs';
import { asFlipped } from './nifti.mjs';
import { install, pack, runIn, scratch, snippets, write } from './packed.mjs';

const TOOLS = {
  vite: '8.3.8',
  webpack: '5.112.2',
  'webpack-cli': '7.3.1',
  '@rspack/core': '2.3.3',
  '@rspack/cli': '2.2.8',
  esbuild: '0.28.2',
  '@niivue/niivue': '0.69.0',
};
const SAMPLE = join(root, 'pkg/samples/hippocampus/image.nii.gz');

const folder = scratch('packaging');
const readme = snippets();
let browser;
before(async () => {
  install(folder, pack(folder).tarball, TOOLS);
  browser = await launch({ webgpu: false });
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** An app of these files, in a folder from which the installed packages are found. */
function app(name, files) {
  const at = join(folder, 'apps', name);
  write(at, { 'package.json': '{ "private": true, "type": "module" }', ...files });
  return at;
}

/** Opens a page of the README and gives it the sample; what it says of the mask. */
async function maskIn(url) {
  const page = await browser.newPage();
  const complaints = [];
  const isIcon = (message) => message.location().url.endsWith('/favicon.ico');
  page.on('console', (message) => message.type() === 'error' && !isIcon(message) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  try {
    await page.goto(url);
    await page.locator('output', { hasText: /^Ready/ }).waitFor({ timeout: 60_000 });
    await page.locator('input').setInputFiles(SAMPLE);
    await page.locator('output', { hasText: 'mL' }).waitFor({ timeout: 60_000 });
    assert.deepEqual(complaints, []);
    return await page.locator('output').textContent();
  } catch (error) {
    throw new Error(`${error.message}\nthe page says: ${await page.locator('output').textContent()}\n${complaints.join('\n')}`);
  } finally {
    await page.close();
  }
}

/** The error of a page that cannot start. */
async function errorIn(url) {
  const page = await browser.newPage();
  const [error] = await Promise.all([page.waitForEvent('pageerror', { timeout: 60_000 }), page.goto(url)]);
  await page.close();
  return error.message;
}

/** The masks of all apps must be the same. */
let expected;
async function assertMask(url) {
  const found = await maskIn(url);
  assert.match(found, /^Left anterior hippocampus: 1\.\d+ mL; Left posterior hippocampus: 1\.\d+ mL$/);
  assert.equal(found, (expected ??= found));
}

async function assertMaskIn(at, options) {
  const server = await serve(at, options);
  try {
    await assertMask(server.url);
  } finally {
    await server.close();
  }
}

describe('installed', () => {
  it('is imported by Node, all of its doors', () => {
    const at = app('node', {
      'main.js': `
        import { checkSupport, InsituError, requestsSinceLoad } from 'insitu-seg';
        import { openSession } from 'insitu-seg/session';
        import 'insitu-seg/element';
        import 'insitu-seg/niivue';
        const { recommended } = await checkSupport();
        const refused = await openSession('a').catch((error) => error);
        console.log(recommended, refused instanceof InsituError, refused.code, requestsSinceLoad());`,
    });
    assert.equal(runIn(at, process.execPath, 'main.js').trim(), 'cpu true unsupported 0');
  });

  it('shows a mask in a plain page with an import map', async () => {
    const at = app('plain', { 'index.html': readme['plain.html'], 'main.js': readme['main.js'] });
    cpSync(join(folder, 'node_modules/insitu-seg'), join(at, 'insitu-seg'), { recursive: true });
    await assertMaskIn(at);
  });

  it('shows a mask in a plain page under the README’s policy', async () => {
    const main = readme['main.js'].replace("'insitu-seg'", "'./insitu-seg/index.js'");
    const at = app('policy', { 'index.html': readme['index.html'], 'main.js': main });
    cpSync(join(folder, 'node_modules/insitu-seg'), join(at, 'insitu-seg'), { recursive: true });
    await assertMaskIn(at, { policy: readme['csp.txt'].trim() });
  });

  it('shows a mask in its element, which needs nothing else, under the same policy', async () => {
    const main = readme['element-main.js'].replace("'insitu-seg/element'", "'./insitu-seg/element.js'");
    const at = app('element', { 'index.html': readme['element.html'], 'element-main.js': main });
    cpSync(join(folder, 'node_modules/insitu-seg'), join(at, 'insitu-seg'), { recursive: true });
    const server = await serve(at, { policy: readme['csp.txt'].trim() });
    const page = await browser.newPage();
    const complaints = [];
    page.on(
      'console',
      (message) => message.type() === 'error' && !message.location().url.endsWith('/favicon.ico') && complaints.push(message.text()),
    );
    await page.goto(server.url);
    await page.getByText('Drop a NIfTI or MGH file here').waitFor();
    await page.locator('insitu-segmenter input').setInputFiles(SAMPLE);
    await page.getByText(/^Done in/).waitFor({ timeout: 60_000 });
    assert.deepEqual(await page.locator('insitu-segmenter li').allTextContents(), [
      'Left anterior hippocampus: 1.63 mL',
      'Left posterior hippocampus: 1.64 mL',
    ]);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save mask' }).click()]);
    assert.equal(file.suggestedFilename(), 'image_mask.nii.gz');
    assert.deepEqual(await page.locator('insitu-segmenter').evaluate(coloured), [true, true, true]);
    if (process.env.INSITU_PICTURE) await page.screenshot({ path: process.env.INSITU_PICTURE });
    await page.evaluate(readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate(() => axe.run('insitu-segmenter'));
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
      [],
    );
    assert.deepEqual(complaints, []);
    await page.close();
    await server.close();
  });

  it('shows a mask in an app built by Vite, and in its dev server', async () => {
    const at = app('vite', {
      'index.html': readme['index.html'],
      'main.js': readme['main.js'],
      'vite.config.js': readme['vite.config.js'],
    });
    const vite = join(folder, 'node_modules/vite/bin/vite.js');
    runIn(at, process.execPath, vite, 'build');
    await assertMaskIn(join(at, 'dist'));
    const dev = spawn(process.execPath, [vite, '--host', '127.0.0.1', '--port', '0', '--clearScreen', 'false'], {
      cwd: at,
      env: { ...process.env, NO_COLOR: '1' },
    });
    try {
      await assertMask(await addressOf(dev));
    } finally {
      dev.kill();
    }
  });

  it('shows a mask in NiiVue, takes it as a drawing, and gives the drawing back', async () => {
    const main = `import { correct, corrected, segment, viewer } from './niivue.js';\nimport { drawnLabels } from 'insitu-seg/niivue';\nwindow.t = { correct, corrected, drawnLabels, segment, viewer };`;
    const page =
      '<!doctype html><html lang="en"><title>NiiVue</title><link rel="icon" href="data:,"><canvas width="640" height="480"></canvas><input type="file"><script type="module" src="./main.js"></script></html>';
    const at = app('niivue', {
      'index.html': page,
      'main.js': main,
      'niivue.js': readme['niivue.js'],
      'vite.config.js': readme['vite.config.js'],
    });
    runIn(at, process.execPath, join(folder, 'node_modules/vite/bin/vite.js'), 'build');
    // A file whose axes run the other way: what NiiVue turns must come back turned.
    await assertDrawing(browser, join(at, 'dist'), asFlipped(readFileSync(SAMPLE)));
  });

  it('shows a mask in an app built by webpack', async () => {
    const at = app('webpack', { 'main.js': readme['main.js'], 'webpack.config.mjs': readme['webpack.config.mjs'] });
    runIn(at, process.execPath, join(folder, 'node_modules/webpack-cli/bin/cli.js'));
    write(at, { 'dist/index.html': readme['index.html'] });
    await assertMaskIn(join(at, 'dist'));
  });

  it('shows a mask in an app built by Rspack', async () => {
    const at = app('rspack', { 'main.js': readme['main.js'], 'rspack.config.mjs': readme['webpack.config.mjs'] });
    runIn(at, process.execPath, join(folder, 'node_modules/@rspack/cli/bin/rspack.js'), 'build');
    write(at, { 'dist/index.html': readme['index.html'] });
    await assertMaskIn(join(at, 'dist'), { isolated: true });
  });

  it('shows a mask in an app built by esbuild', async () => {
    const at = app('esbuild', { 'main.js': readme['main.js'], 'esbuild.sh': readme['esbuild.sh'] });
    // The commands of the README run where the packages are installed.
    runIn(folder, 'sh', '-ec', `cp apps/esbuild/main.js . && sh apps/esbuild/esbuild.sh && mv dist apps/esbuild/dist`);
    write(at, { 'dist/index.html': readme['index.html'] });
    assert.ok(existsSync(join(at, 'dist/worker.js')));
    await assertMaskIn(join(at, 'dist'), { isolated: true });
  });

  it('finds worker, engine and model in `assets`, which the error names where a build has none of them', async () => {
    const at = app('assets', {
      'main.js': readme['main.js'],
      'main-assets.js': readme['main.js'].replace('createSegmenter()', "createSegmenter({ assets: 'insitu-seg' })"),
      'main-worker.js': readme['main.js'].replace('createSegmenter()', "createSegmenter({ assets: 'half' })"),
    });
    const esbuild = join(folder, 'node_modules/esbuild/bin/esbuild');
    runIn(at, esbuild, 'main.js', 'main-assets.js', 'main-worker.js', '--bundle', '--splitting', '--format=esm', '--outdir=dist');
    for (const name of ['main', 'main-assets', 'main-worker'])
      write(at, { [`dist/${name}.html`]: readme['index.html'].replace('./main.js', `./${name}.js`) });
    const installed = join(folder, 'node_modules/insitu-seg');
    cpSync(installed, join(at, 'dist/insitu-seg'), { recursive: true });
    for (const part of ['wasm', 'models']) cpSync(join(installed, part), join(at, 'dist/half', part), { recursive: true });
    const server = await serve(join(at, 'dist'));
    await assertMask(`${server.url}main-assets.html`);
    assert.match(await errorIn(`${server.url}main.html`), / 404; set `assets` to where the package is served\.$/);
    assert.match(await errorIn(`${server.url}main-worker.html`), /^The worker of insitu-seg could not be started.* or set `assets`/);
    await server.close();
  });
});
