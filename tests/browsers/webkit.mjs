/** WebKit, as Safari has it: WebKitWebDriver over plain HTTP, with a browser of our own (webkit-window.py). */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask, which } from '../../scripts/tools.mjs';
import { noDisplay, openDisplay } from './display.mjs';

export const name = 'WebKit';

const WINDOW = fileURLToPath(new URL('webkit-window.py', import.meta.url));
const PARTS =
  "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1'); from gi.repository import WebKit2; print(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version(), sep='.')";

export function lacks() {
  if (!which('WebKitWebDriver')) return 'there is no WebKitWebDriver (Debian: webkit2gtk-driver)';
  if (ask('/usr/bin/python3', ['-c', PARTS]) === null) return 'Python has no WebKit (Debian: python3-gi, gir1.2-webkit2-4.1)';
  return noDisplay();
}

/** An element, as WebDriver names it. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One call of the driver; what it answers, or its refusal as an error. */
async function call(base, method, path, body) {
  const response = await fetch(base + path, { method, body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined });
  const { value } = await response.json();
  if (value?.error) throw new Error(`${path}: ${value.error}: ${value.message}`);
  return value;
}

/** The driver, once it answers. */
async function startDriver(env) {
  const port = await freePort();
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    env,
    stdio: process.env.INSITU_VERBOSE ? 'inherit' : 'ignore',
    detached: true,
  });
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    try {
      await call(base, 'GET', '/status');
      return { driver, base };
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** @returns {Promise<import('./tab.mjs').Tab>} */
export async function launch() {
  const folder = mkdtempSync(join(tmpdir(), 'insitu-webkit-'));
  const downloads = join(folder, 'downloads');
  mkdirSync(downloads);
  const display = await openDisplay();
  const env = {
    ...process.env,
    ...display.env,
    GDK_BACKEND: 'x11',
    JSC_useSharedArrayBuffer: '1',
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
  };
  const { driver, base } = await startDriver(env);
  const wanted = { alwaysMatch: { 'webkitgtk:browserOptions': { binary: WINDOW, args: ['--automation', folder] } } };
  const { sessionId } = await call(base, 'POST', '/session', { capabilities: wanted });
  const say = (method, path, body) => call(base, method, `/session/${sessionId}${path}`, body);
  await say('POST', '/timeouts', { script: 600_000, pageLoad: 120_000 });
  const pointer = (actions) => say('POST', '/actions', { actions: [{ type: 'pointer', id: 'hand', actions }] });
  return {
    downloads,
    complaints: [],
    version: ask('/usr/bin/python3', ['-c', PARTS])?.trim() ?? '',
    goto: (url) => say('POST', '/url', { url }),
    reload: () => say('POST', '/refresh'),
    evaluate: (script, ...args) => say('POST', '/execute/sync', { script: `return (${script})(...arguments)`, args }),
    async choose(selector, paths) {
      const { [ELEMENT]: id } = await say('POST', '/element', { using: 'css selector', value: selector });
      await say('POST', `/element/${id}/value`, { text: paths.join('\n') });
    },
    async drag([first, ...others]) {
      const move = ({ x, y }) => ({ type: 'pointerMove', duration: 50, x: Math.round(x), y: Math.round(y) });
      await pointer([move(first), { type: 'pointerDown', button: 0 }, ...others.map(move), { type: 'pointerUp', button: 0 }]);
    },
    async press(...keys) {
      const codes = keys.map((key) => KEYS[key] ?? key);
      const actions = [
        ...codes.map((value) => ({ type: 'keyDown', value })),
        ...codes.toReversed().map((value) => ({ type: 'keyUp', value })),
      ];
      await say('POST', '/actions', { actions: [{ type: 'key', id: 'keys', actions }] });
    },
    screenshot: async (path) => writeFileSync(path, Buffer.from(await say('GET', '/screenshot'), 'base64')),
    async close() {
      await say('DELETE', '').catch(() => {});
      process.kill(-driver.pid);
      display.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const KEYS = { Control: '\uE009', Escape: '\uE00C', PageUp: '\uE00E', PageDown: '\uE00F' };
