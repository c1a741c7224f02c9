/** An empty page on a server of the package, and a browser: what a test file needs that imports the package into pages of its own. */
import { join } from 'node:path';
import { after, before } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from './browser.mjs';

/** A page of nothing, whose icon is not asked for. */
export const EMPTY_PAGE = '<!doctype html><html lang="en"><title>empty</title><link rel="icon" href="data:,"></html>';

/**
 * `server` and `browser` of a test file, there from its first test to its last; `extra` are more files of the server.
 * @param {Parameters<typeof launch>[0] & { extra?: object }} [options] of the browser
 */
export function besideThePackage({ extra, ...options } = {}) {
  const beside = {};
  before(async () => {
    beside.server = await serve(join(root, 'pkg'), { extra: { '/': EMPTY_PAGE, ...extra } });
    beside.browser = await launch(options);
  });
  after(async () => {
    await beside.browser?.close();
    await beside.server?.close();
  });
  return beside;
}

/** A page with the modules of sessions under window.t, with `refusal`, in a context of its own or in that of another page. `script` runs before all others. */
export async function openModules({ server, browser }, { context, script }) {
  const page = await (context ?? (await browser.newContext())).newPage();
  if (script) await page.addInitScript(script);
  await page.goto(server.url);
  await page.evaluate(async () => {
    const [core, session] = await Promise.all([import('/index.js'), import('/session.js')]);
    const refusal = (promise) =>
      promise.then(
        () => null,
        ({ name, code, message }) => ({ name, code, message }),
      );
    window.t = { ...core, ...session, refusal };
  });
  return page;
}
