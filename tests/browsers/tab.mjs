/** A tab of any browser, as chromium.mjs, firefox.mjs and webkit.mjs make it, and what a person does with the page in it. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Tab
 * @property {string} version of the browser
 * @property {string} downloads the folder into which it saves
 * @property {string[]} complaints errors of the page, as far as the browser tells them
 * @property {(url: string) => Promise<void>} goto
 * @property {() => Promise<void>} reload
 * @property {(script: Function, ...args: unknown[]) => Promise<any>} evaluate a function in the page; what it gives as JSON
 * @property {(selector: string, paths: string[]) => Promise<void>} choose files in a field
 * @property {(points: { x: number, y: number }[]) => Promise<void>} drag with the pointer pressed, in CSS pixels
 * @property {(...keys: string[]) => Promise<void>} press keys together
 * @property {(path: string) => Promise<void>} screenshot
 * @property {() => Promise<void>} close
 */

const PATIENCE_MS = 240_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until `script` gives something in the page, as long as the page shows that it goes on: a machine that does other things besides
 * is slow, and no failure. @param {Tab} tab @param {Function} script @param {unknown[]} args
 */
export async function until(tab, script, ...args) {
  for (let shown, end = 0; ; await pause(200)) {
    const found = await tab.evaluate(script, ...args);
    if (found) return found;
    const now = await tab.evaluate(() => document.querySelector('main').textContent);
    if (now !== shown) end = Date.now() + PATIENCE_MS;
    if (Date.now() > end) throw new Error(`nothing new within ${PATIENCE_MS / 1000} s: ${script}`);
    shown = now;
  }
}

/** Waits for one of these states of the page; an error that it shows is thrown. @param {Tab} tab @param {string[]} names */
export async function state(tab, ...names) {
  await until(tab, (names) => names.includes(document.documentElement.dataset.state), [...names, 'error']);
  const error = await text(tab, '#error');
  if (error) throw new Error(`the page says: ${error}`);
}

/** @param {Tab} tab @param {string} selector @returns {Promise<string>} */
export const text = (tab, selector) => tab.evaluate((selector) => document.querySelector(selector).textContent, selector);

/** @param {Tab} tab @param {string} selector */
export const click = (tab, selector) => tab.evaluate((selector) => document.querySelector(selector).click(), selector);

/** Clicks the button of this text. @param {Tab} tab @param {string} words */
export const press = (tab, words) =>
  tab.evaluate((words) => [...document.querySelectorAll('button')].find(({ textContent }) => textContent === words).click(), words);

/** Runs to the mask; the report. @param {Tab} tab */
export async function segment(tab) {
  await click(tab, '#segment');
  await state(tab, 'done');
  return JSON.parse(await text(tab, '#report'));
}

/** What a click saves: { name, bytes }. @param {Tab} tab @param {string} selector */
export async function download(tab, selector) {
  for (const name of readdirSync(tab.downloads)) rmSync(join(tab.downloads, name), { recursive: true });
  await click(tab, selector);
  let size = -1;
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(200)) {
    const [name] = readdirSync(tab.downloads).filter((name) => !/\.(part|wkdownload|crdownload)$/.test(name));
    if (!name) continue;
    const bytes = readFileSync(join(tab.downloads, name));
    if (bytes.length > 0 && bytes.length === size) return { name, bytes };
    size = bytes.length;
  }
  throw new Error(`${selector}: nothing was saved`);
}

/** A stroke across the axial slice, which is shown alone. @param {Tab} tab */
export async function stroke(tab) {
  const { x, y, width, height } = await tab.evaluate(() => {
    const { x, y, width, height } = document.querySelector('#slices').getBoundingClientRect();
    return { x, y, width, height };
  });
  await tab.drag([0.42, 0.48, 0.54, 0.6].map((share, i) => ({ x: x + share * width, y: y + (0.3 + 0.02 * i) * height })));
}
