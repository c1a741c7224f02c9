/** Where the browser's contestants run: a server, one Chromium with software WebGPU, one cross-origin isolated page. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { root } from '../tools.mjs';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Isolation is what a page needs for threads. */
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-store',
};

async function serve(folder) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    try {
      const body = await readFile(join(folder, normalize(pathname)));
      response.writeHead(200, { ...HEADERS, 'content-type': TYPES[extname(pathname)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404, HEADERS).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export class Stage {
  #server;
  #browser;
  #page;

  /** The page; opened when first asked for, since native contestants need none. */
  async #open() {
    if (this.#page) return this.#page;
    const { launch } = await import('../../tests/web/browser.mjs');
    this.#server = await serve(root);
    this.#browser = await launch();
    this.#page = await this.#browser.newPage();
    await this.#page.goto(`http://127.0.0.1:${this.#server.address().port}/scripts/compare/page/index.html`);
    if (!(await this.#page.evaluate(() => crossOriginIsolated))) throw new Error('the page is not cross-origin isolated');
    return this.#page;
  }

  async version() {
    await this.#open();
    return this.#browser.version();
  }

  /** A contestant in a worker of its own, ready to run. */
  async player(job) {
    const page = await this.#open();
    const id = await page.evaluate((job) => globalThis.start(job), job);
    return {
      turn: () => page.evaluate((id) => globalThis.turn(id), id),
      close: () => page.evaluate((id) => globalThis.stop(id), id).catch(() => {}), // a page that crashed holds no worker
    };
  }

  async close() {
    await this.#browser?.close();
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}
