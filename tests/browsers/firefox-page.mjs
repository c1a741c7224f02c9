/**
 * Firefox with the few calls of Playwright's pages that tests of the page make, on puppeteer: Playwright itself speaks to no Firefox as it
 * is shipped. `INSITU_BROWSER=firefox` puts it in Chromium's place (tests/web/browser.mjs).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { startFirefox } from './firefox.mjs';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `look` gives, as soon as it gives something. */
async function polled(look, timeout, what) {
  for (const end = Date.now() + timeout; ; await pause(100)) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${timeout / 1000} s: ${what}`);
  }
}

/** Runs in the page: the elements of a selector whose text has these words, or matches. */
function found(selector, { text, source, flags, name }) {
  const plain = (words) => words.replace(/\s+/g, ' ').trim().toLowerCase();
  const pattern = source === undefined ? null : new RegExp(source, flags);
  return [...document.querySelectorAll(selector)].filter((one) => {
    const { textContent } = one;
    if (name !== undefined && !plain(one.ariaLabel ?? textContent).includes(plain(name))) return false;
    return (pattern?.test(textContent) ?? true) && (text === undefined || plain(textContent).includes(plain(text)));
  });
}

class Locator {
  #page;
  #selector;
  #which;

  constructor(page, selector, which = {}) {
    [this.#page, this.#selector, this.#which] = [page, selector, which];
  }

  async #all() {
    const list = await this.#page.tab.evaluateHandle(found, this.#selector, this.#which);
    const properties = await list.getProperties();
    return [...properties.values()].map((one) => one.asElement()).filter(Boolean);
  }

  /** The first that is there, and by default seen. */
  #first({ state = 'visible', timeout = this.#page.timeout } = {}) {
    const look = async () => {
      const [one] = await this.#all();
      return one && (state === 'attached' || (await one.isVisible())) ? one : null;
    };
    return polled(look, timeout, `${this.#selector} ${JSON.stringify(this.#which)}`);
  }

  waitFor = async (options) => void (await this.#first(options));
  count = async () => (await this.#all()).length;
  evaluate = async (script, ...args) => (await this.#first({ state: 'attached' })).evaluate(script, ...args);
  textContent = () => this.evaluate((one) => one.textContent);
  getAttribute = (name) => this.evaluate((one, name) => one.getAttribute(name), name);
  focus = () => this.evaluate((one) => one.focus());
  scrollIntoViewIfNeeded = () => this.evaluate((one) => one.scrollIntoView({ block: 'nearest' }));
  boundingBox = async () => (await this.#first()).boundingBox();

  async isVisible() {
    const [one] = await this.#all();
    return one ? one.isVisible() : false;
  }

  async allTextContents() {
    return Promise.all((await this.#all()).map((one) => one.evaluate(({ textContent }) => textContent)));
  }

  async click() {
    const isFree = async () => ((await this.evaluate(({ disabled }) => !disabled)) ? this.#first() : null);
    await (await polled(isFree, this.#page.timeout, `${this.#selector} can be pressed`)).click();
  }

  check = () => this.evaluate((one) => one.checked || one.click());

  fill = (value) =>
    this.evaluate((one, value) => {
      one.focus();
      one.value = value;
      for (const type of ['input', 'change']) one.dispatchEvent(new Event(type, { bubbles: true }));
    }, value);

  async setInputFiles({ name, buffer }) {
    const path = join(mkdtempSync(join(this.#page.scratch, 'given-')), name);
    writeFileSync(path, buffer);
    await (await this.#first({ state: 'attached' })).uploadFile(path);
  }
}

class Page {
  timeout = 30_000;

  constructor(tab, { downloads, scratch }) {
    const press = (key) => tab.keyboard.press(key === 'Space' ? ' ' : key);
    Object.assign(this, { tab, downloads, scratch, keyboard: { press } });
  }

  on = (name, listener) => this.tab.on(name, listener);
  setDefaultTimeout(ms) {
    this.timeout = ms;
    this.tab.setDefaultTimeout(ms);
  }

  goto = (url) => this.tab.goto(url, { waitUntil: 'domcontentloaded' });
  evaluate = (script, ...args) => this.tab.evaluate(script, ...args);
  screenshot = async (options) => Buffer.from(await this.tab.screenshot(options));
  waitForTimeout = pause;
  close = () => this.tab.close();

  locator = (selector, { hasText } = {}) =>
    new Locator(this, selector, hasText instanceof RegExp ? { source: hasText.source, flags: hasText.flags } : { text: hasText });

  getByRole = (role, { name }) => new Locator(this, role, { name });

  /** A download, when it is whole. */
  async waitForEvent() {
    const files = () => readdirSync(this.downloads).filter((name) => !/\.part$/.test(name));
    const before = new Set(files());
    let size = -1;
    const look = () => {
      const fresh = files().find((name) => !before.has(name));
      if (!fresh) return null;
      const last = size;
      size = statSync(join(this.downloads, fresh)).size;
      return size > 0 && size === last ? join(this.downloads, fresh) : null;
    };
    const path = await polled(look, this.timeout, 'a download');
    // The next one of this name is not to be called otherwise.
    const kept = join(mkdtempSync(join(this.scratch, 'saved-')), basename(path));
    writeFileSync(kept, readFileSync(path));
    rmSync(path);
    return { suggestedFilename: () => basename(path), path: async () => kept };
  }
}

/** As `chromium.launch` of Playwright gives a browser. */
export async function launchFirefox() {
  const scratch = mkdtempSync(join(tmpdir(), 'insitu-firefox-page-'));
  const { browser, downloads, close } = await startFirefox();
  const parts = { downloads, scratch };
  return {
    newPage: async () => new Page(await browser.newPage(), parts),
    async newContext({ viewport } = {}) {
      const context = await browser.createBrowserContext();
      const newPage = async () => {
        const tab = await context.newPage();
        if (viewport) await tab.setViewport(viewport);
        return new Page(tab, parts);
      };
      return { newPage, close: () => context.close() };
    },
    async close() {
      await close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
