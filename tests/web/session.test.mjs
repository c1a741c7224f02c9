/** What a person made, kept over a closed tab, a full disk and a second tab; and models that are kept for the next visit. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { besideThePackage, openModules } from './empty-page.mjs';
import { snippets } from './packed.mjs';

const SAMPLE = readFileSync(join(root, 'pkg/samples/hippocampus/image.nii.gz'));

const beside = besideThePackage({ webgpu: false });

/** A page with the modules under window.t, in a context of its own or in that of another page. */
const open = (context) => openModules(beside, { context });

describe('a session', () => {
  it('is as the README shows it', async () => {
    const page = await open();
    const said = [];
    page.on('console', (message) => said.push(message.text()));
    const code = snippets()['session.js'].replace(/^import .*$/m, 'const { forgetEverything, openSession } = t;');
    await page.evaluate(`(async () => { ${code} })()`);
    assert.deepEqual(said, ['stroke 3', '23 bytes of the image']);
    assert.deepEqual(await page.evaluate(() => t.listSessions()), []);
    await page.context().close();
  });

  it('is there after the tab was closed without a word, up to the last record that was kept', async () => {
    const page = await open();
    const context = page.context();
    await page.evaluate(async () => {
      window.session = await t.openSession('a/b: ü*');
      await session.put('image', new Uint8Array([7, 8, 9]));
      for (let i = 0; i < 5; i++) await session.append({ i }, Uint8Array.of(i, 10, i));
      session.append({ i: 'begun' }, new Uint8Array(2 ** 24)); // nobody waits for it
    });
    await page.close();
    const next = await open(context);
    const { records, image, names } = await next.evaluate(async () => {
      const session = await t.openSession('a/b: ü*');
      const records = (await session.records()).map(({ entry, bytes }) => [entry.i, bytes.length === 3 ? [...bytes] : bytes.length]);
      return { records, image: [...new Uint8Array(await (await session.get('image')).arrayBuffer())], names: await t.listSessions() };
    });
    assert.deepEqual(
      records.slice(0, 5),
      [0, 1, 2, 3, 4].map((i) => [i, [i, 10, i]]),
    );
    assert.ok(records.length === 5 || (records.length === 6 && records[5][1] === 2 ** 24), JSON.stringify(records));
    assert.deepEqual(image, [7, 8, 9]);
    assert.deepEqual(names, ['a/b: ü*']);
    await context.close();
  });

  it('goes on where it was truncated, and keeps the order', async () => {
    const page = await open();
    const found = await page.evaluate(async () => {
      const session = await t.openSession();
      await Promise.all([1, 2, 3, 4].map((i) => session.append(i)));
      await session.truncate(2);
      await session.append(5);
      const lengths = [session.length];
      await session.close();
      const again = await t.openSession();
      lengths.push(again.length);
      return { lengths, entries: (await again.records()).map(({ entry }) => entry) };
    });
    assert.deepEqual(found, { lengths: [3, 3], entries: [1, 2, 5] });
    await page.context().close();
  });

  it('is waited for where the browser grants late what nobody holds', async () => {
    const page = await open();
    const asked = await page.evaluate(async () => {
      const { locks } = navigator;
      let asked = 0;
      const late = (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      locks.request = (name, options, held) =>
        ++asked === 1 ? late(options.signal) : LockManager.prototype.request.call(locks, name, options, held);
      const session = await t.openSession('late');
      await session.close();
      return asked;
    });
    assert.equal(asked, 2);
    await page.context().close();
  });

  it('is waited for where it is released just as the wait for it ends', async () => {
    const page = await open();
    const asked = await page.evaluate(async () => {
      const { locks } = navigator;
      let asked = 0;
      // As where the browser grants a request that has just timed out: it is held, and released at once.
      const crossed = (key, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            LockManager.prototype.request.call(locks, key, () => new Promise((release) => setTimeout(release, 200)));
            reject(signal.reason);
          });
        });
      locks.request = (name, options, held) =>
        ++asked === 1 ? crossed(name, options.signal) : LockManager.prototype.request.call(locks, name, options, held);
      const session = await t.openSession('crossed');
      await session.close();
      return asked;
    });
    assert.equal(asked, 2);
    await page.context().close();
  });

  it('has one tab at a time; the next gets it when the first is gone', async () => {
    const first = await open();
    const second = await open(first.context());
    await first.evaluate(async () => void (window.session = await t.openSession('one')));
    const refused = await second.evaluate(() => t.refusal(t.openSession('one')));
    assert.equal(refused.code, 'io');
    assert.match(refused.message, /open in another tab/);
    await first.close();
    assert.equal(await second.evaluate(async () => (await t.openSession('one')).length), 0);
    await second.context().close();
  });

  it('says in words that there is no room, and what was kept stays', async () => {
    const page = await open();
    const cdp = await page.context().newCDPSession(page);
    await page.evaluate(async () => {
      window.session = await t.openSession('full');
      await session.put('mask', new Uint8Array(1000).fill(1));
    });
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: beside.server.url.slice(0, -1), quotaSize: 2_000_000 });
    const { put, append, left, names } = await page.evaluate(async () => {
      const put = await t.refusal(session.put('mask', new Uint8Array(8_000_000)));
      const append = await t.refusal(session.append({}, new Uint8Array(8_000_000)));
      return {
        put,
        append,
        left: (await session.get('mask')).size,
        names: [...(await session.names()), session.length, (await session.records()).length],
      };
    });
    for (const { code, message } of [put, append]) {
      assert.equal(code, 'io');
      assert.match(message, /^The browser has no room left.*; what was kept before is as it was\.$/);
    }
    assert.equal(left, 1000);
    assert.deepEqual(names, ['mask', 0, 0]);
    await page.context().close();
  });

  it('refuses names, records and calls that make no sense as ‘argument’', async () => {
    const page = await open();
    const codes = await page.evaluate(async () => {
      const session = await t.openSession();
      const refusals = [t.openSession(''), t.openSession(7), session.put('', new Uint8Array(1)), session.append(undefined)].map(t.refusal);
      const found = await Promise.all(refusals);
      await session.forget();
      found.push(await t.refusal(session.records()));
      return found.map((error) => error?.code);
    });
    assert.deepEqual(codes, Array(5).fill('argument'));
    await page.context().close();
  });

  it('is forgotten by one call, models too', async () => {
    const page = await open();
    const left = await page.evaluate(async () => {
      const session = await t.openSession('x');
      await session.append(1);
      await session.close();
      (await t.createSegmenter({ backend: 'cpu' })).dispose();
      await t.forgetEverything();
      const names = [];
      for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
      return names;
    });
    assert.deepEqual(left, []);
    await page.context().close();
  });
});

describe('a model', () => {
  const weights = () => beside.server.requests.filter((path) => path.endsWith('.safetensors')).length;
  /** Where a segmenter has its model from, what it notes, and whether it works. */
  const make = (page, options = {}) =>
    page.evaluate(
      async ([options, sample]) => {
        const segmenter = await t.createSegmenter({ backend: 'cpu', ...options });
        const { labels } = await segmenter.segment(Uint8Array.from(atob(sample), (c) => c.charCodeAt(0)));
        segmenter.dispose();
        return { from: segmenter.modelFrom, notes: segmenter.notes, labelled: labels.filter(Boolean).length };
      },
      [options, SAMPLE.toString('base64')],
    );

  it('is fetched once and kept for the next visit, under its hash', async () => {
    const page = await open();
    const before = weights();
    assert.deepEqual((await make(page)).from, 'network');
    assert.equal(weights() - before, 3);
    await page.reload();
    const next = await open(page.context());
    const { from, notes, labelled } = await make(next);
    assert.deepEqual([from, notes, labelled > 1000], ['cache', [], true]);
    assert.equal(weights() - before, 3);
    assert.equal((await make(next, { cache: false })).from, 'network');
    assert.equal(weights() - before, 6);
    await page.context().close();
  });

  it('that was damaged where it is kept is fetched again', async () => {
    const page = await open();
    await make(page);
    await page.evaluate(async () => {
      let folder = await navigator.storage.getDirectory();
      for (const name of ['insitu-seg', 'models', 'weights']) folder = await folder.getDirectoryHandle(name);
      for await (const file of folder.values()) {
        const stream = await file.createWritable({ keepExistingData: true });
        await stream.write({ type: 'write', position: 5000, data: new Uint8Array(8).fill(255) });
        await stream.close();
      }
    });
    assert.equal((await make(page)).from, 'network');
    assert.equal((await make(page)).from, 'cache');
    await page.context().close();
  });

  it('is used from the last visit where its card cannot be fetched, and that is noted', async () => {
    const page = await open();
    await make(page);
    await page.context().route(
      (url) => url.pathname.includes('/models/'),
      (route) => route.abort(),
    );
    const { from, notes, labelled } = await make(page);
    assert.equal(from, 'cache');
    assert.match(notes.join(), /^The model card is the one of the last visit: .*could not be fetched/);
    assert.ok(labelled > 1000);
    await page.context().close();
  });

  it('is used all the same where there is no room for it, and that is noted', async () => {
    const page = await open();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: beside.server.url.slice(0, -1), quotaSize: 100_000 });
    const { from, notes, labelled } = await make(page);
    assert.equal(from, 'network');
    assert.match(notes.join(' '), /^The model is not kept for the next visit: The browser has no room left/);
    assert.ok(labelled > 1000);
    await page.context().close();
  });

  it('by its bytes, by the URL of its folder and by that of its card is the same model', async () => {
    const page = await open();
    const found = await page.evaluate(async () => {
      const at = '/models/hippocampus/';
      const files = await Promise.all(
        ['model.json', 'whole-0.safetensors', 'patch-0.safetensors'].map(
          async (name) => new Uint8Array(await (await fetch(at + name)).arrayBuffer()),
        ),
      );
      const models = [files, at, new URL(`${at}model.json`, location.href)];
      const made = [];
      for (const model of models) {
        const segmenter = await t.createSegmenter({ model, backend: 'cpu' });
        made.push([segmenter.model.name, segmenter.modelFrom]);
        segmenter.dispose();
      }
      return made;
    });
    assert.deepEqual(found, [
      ['hippocampus', 'bytes'],
      ['hippocampus', 'network'],
      ['hippocampus', 'cache'],
    ]);
    await page.context().close();
  });

  it('whose card names files of other places is refused', async () => {
    const page = await open();
    const error = await page.evaluate(async () => {
      const card = await (await fetch('/models/hippocampus/model.json')).json();
      card.stages.whole.folds[0].file = 'https://example.org/weights.safetensors';
      return t.refusal(t.createSegmenter({ backend: 'cpu', model: [new TextEncoder().encode(JSON.stringify(card))] }));
    });
    assert.equal(error.code, 'malformed');
    assert.match(error.message, /is no name of a weight file/);
    await page.context().close();
  });
});
