/** Files that are kept where the browser has no `createWritable`, as Safari before 26: whole or not at all, as elsewhere. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { launchIn } from './browser.mjs';
import { besideThePackage, openModules } from './empty-page.mjs';
import { scratch } from './packed.mjs';

const beside = besideThePackage({ webgpu: false });

/** A page with the modules under window.t, and without `createWritable`, in a context of its own or in that of another page. */
async function open(context) {
  const page = await openModules(beside, { context, script: () => delete FileSystemFileHandle.prototype.createWritable });
  await page.evaluate(() => {
    /** The names in the folder of a session's files, as the file system has them. */
    t.namesOf = async (name) => {
      let folder = await navigator.storage.getDirectory();
      for (const part of ['insitu-seg', 'sessions', name, 'files']) folder = await folder.getDirectoryHandle(part);
      return Array.fromAsync(folder.keys());
    };
  });
  return page;
}

describe('without createWritable', () => {
  it('files and records are kept, replaced and there in the next tab', async () => {
    const page = await open();
    await page.evaluate(async () => {
      const session = await t.openSession('safari');
      await session.put('mask: *.nii', new Uint8Array([1, 2, 3, 4]));
      await session.put('mask: *.nii', new Blob([new Uint8Array([5, 6])]));
      await session.append({ kind: 'run' }, new Uint8Array([10, 0, 10]));
      await session.close();
    });
    const next = await open(page.context());
    const found = await next.evaluate(async () => {
      const session = await t.openSession('safari');
      const file = await session.get('mask: *.nii');
      const [{ entry, bytes }] = await session.records();
      return { names: await session.names(), file: [...(await file.bytes())], entry, bytes: [...bytes], raw: await t.namesOf('safari') };
    });
    assert.deepEqual(found, {
      names: ['mask: *.nii'],
      file: [5, 6],
      entry: { kind: 'run' },
      bytes: [10, 0, 10],
      raw: ['mask%3A%20%2A.nii'],
    });
    await page.context().close();
  });

  it('a tab that dies in the middle of a write leaves the file as it was; what it left is removed later', async () => {
    const page = await open();
    await page.evaluate(async () => {
      window.session = await t.openSession('dies');
      await session.put('image', new Uint8Array([7, 8, 9]));
      session.put('image', new Blob([new Uint8Array(2 ** 28)])); // nobody waits for it
      while ((await t.namesOf('dies')).length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    });
    await page.close();
    const next = await open(page.context());
    const found = await next.evaluate(async () => {
      const session = await t.openSession('dies');
      const found = { names: await session.names(), size: (await session.get('image')).size, left: await t.namesOf('dies') };
      await session.close();
      const now = Date.now;
      Date.now = () => now() + 3_600_000;
      await t.openSession('dies');
      return { ...found, later: await t.namesOf('dies') };
    });
    assert.equal(found.left.length, 2, 'it was killed in the middle');
    assert.deepEqual([found.names, found.size, found.later], [['image'], 3, ['image']]);
    await page.context().close();
  });

  it('a full disk is said in words, and what was kept stays', async () => {
    // A private window's files are in memory, and cost no room.
    const folder = scratch('profile');
    const page = await open(await launchIn(folder, { webgpu: false }));
    const cdp = await page.context().newCDPSession(page);
    await page.evaluate(async () => {
      window.session = await t.openSession('full');
      await session.put('mask', new Uint8Array(1000));
    });
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: beside.server.url.slice(0, -1), quotaSize: 2_000_000 });
    const { error, size, names } = await page.evaluate(async () => {
      const error = await t.refusal(session.put('mask', new Uint8Array(8_000_000)));
      return { error, size: (await session.get('mask')).size, names: await t.namesOf('full') };
    });
    assert.equal(error.code, 'io');
    assert.match(error.message, /^The browser has no room left.*; what was kept before is as it was\.$/);
    assert.deepEqual([size, names], [1000, ['mask']]);
    await page.context().close();
    rmSync(folder, { recursive: true });
  });

  it('a worker that cannot be fetched is an error in words, and the next write has another', async () => {
    const page = await open();
    await page.route('**/opfs-worker.js', (route) => route.abort());
    const first = await page.evaluate(async () => {
      window.session = await t.openSession('none');
      return t.refusal(session.put('mask', new Uint8Array(1)));
    });
    assert.deepEqual([first.code, /worker that keeps files could not be started/.test(first.message)], ['io', true]);
    await page.unroute('**/opfs-worker.js');
    assert.equal(await page.evaluate(() => t.refusal(session.put('mask', new Uint8Array(1)))), null);
    await page.context().close();
  });

  it('models are kept for the next visit, and nothing is noted', async () => {
    const page = await open();
    const found = await page.evaluate(async () => {
      const made = [];
      for (let visit = 0; visit < 2; visit++) {
        const segmenter = await t.createSegmenter({ backend: 'cpu' });
        made.push([segmenter.modelFrom, segmenter.notes]);
        segmenter.dispose();
      }
      return made;
    });
    assert.deepEqual(found, [
      ['network', []],
      ['cache', []],
    ]);
    await page.context().close();
  });
});
