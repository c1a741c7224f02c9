/** A page that imports the package's /index.js and has a segmenter: what the tests of its calls share. */
import { join } from 'node:path';
import { after, before } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from './browser.mjs';
import { EMPTY_PAGE } from './empty-page.mjs';

export const SAMPLE = '/samples/hippocampus/image.nii.gz';

/** `page` of the tests of a `describe`, there from its first to its last, with what they need under window.t. @param {Parameters<typeof serve>[1]['extra']} [extra] for its server */
export function packagePage(extra) {
  const at = {};
  let server;
  let browser;
  before(async () => {
    server = await serve(join(root, 'pkg'), { extra: { '/': EMPTY_PAGE, ...extra } });
    browser = await launch();
    at.page = await browser.newPage();
    await at.page.goto(server.url);
    await at.page.evaluate(async (sample) => {
      const { benchmark, createSegmenter } = await import('/index.js');
      const bytes = new Uint8Array(await (await fetch(sample)).arrayBuffer());
      const refusal = (promise) =>
        promise.then(
          () => null,
          ({ name, code, message, checks }) => ({ name, code, message, checks }),
        );
      const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      window.t = { benchmark, createSegmenter, bytes, refusal, fromBase64, segmenter: await createSegmenter({ backend: 'cpu' }) };
    }, SAMPLE);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  return at;
}
