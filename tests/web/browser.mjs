/** What the browser tests stand on: a static server that counts, and a headless Chromium with software WebGPU. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { chromium as chromiumPath } from '../../scripts/tools.mjs';
import { launchFirefox } from '../browsers/firefox-page.mjs';

const dist = fileURLToPath(new URL('../../www/dist/', import.meta.url));

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** What a server must send for its pages to have threads. */
export const ISOLATION = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** Serves the built page, as any static host would: not isolated and not to be cached, where not asked for. */
export function servePage(options) {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('www/dist is missing: npm run build');
  return serve(dist, options);
}

/**
 * Serves a folder; `requests` lists every path that was asked for. A path in `extra` is answered with its text as a
 * web page, or with { type, body }, or not at all for 'hang up'; a function of the request says which, or nothing for the file. `cached`: browsers may keep what they were given.
 * `policy`: a Content-Security-Policy for all that is served.
 * @param {string} folder
 * @param {{ extra?: Record<string, string | { type: string, body: string | Buffer }>, isolated?: boolean, cached?: boolean, policy?: string }} [options]
 */
export async function serve(folder, { extra = {}, isolated = false, cached = false, policy } = {}) {
  const headers = { ...(isolated ? ISOLATION : {}), ...(policy ? { 'content-security-policy': policy } : {}) };
  const keeping = (body) =>
    cached ? { 'cache-control': 'public, max-age=3600', etag: `"${createHash('sha256').update(body).digest('hex')}"` } : {};
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    requests.push(pathname);
    const special = typeof extra[pathname] === 'function' ? extra[pathname](request) : extra[pathname];
    if (special === 'hang up') return request.socket.destroy();
    if (special !== undefined) {
      const { type, body } = typeof special === 'string' ? { type: 'text/html', body: special } : special;
      return response.writeHead(200, { ...headers, 'content-type': type }).end(body);
    }
    const file = join(folder, normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    try {
      const body = await readFile(file);
      response
        .writeHead(200, { ...headers, ...keeping(body), 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    requests,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

const GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];

/**
 * WebGL 2 (the slices) always comes from SwiftShader; WebGPU only where asked for. The page itself is put together without it, which
 * in software takes a fifth less of the processor. `more`: further arguments.
 */
const options = ({ webgpu = true, more = [] } = {}) => ({
  executablePath: chromiumPath(),
  args: [
    '--no-sandbox',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--use-gl=angle',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--disable-gpu-compositing',
    ...(webgpu ? GPU : []),
    ...more,
  ],
});

/** Chromium; or Firefox, where INSITU_BROWSER says so, for tests of the page that ask for nothing of Chromium's own. */
export const launch = (wanted) => (isFirefox() ? launchFirefox() : chromium.launch(options(wanted)));

export const isFirefox = () => process.env.INSITU_BROWSER === 'firefox';

/** A browser with one context, whose profile, the HTTP cache among it, is kept in `folder`. */
export const launchIn = (folder, wanted) => chromium.launchPersistentContext(folder, options(wanted));
