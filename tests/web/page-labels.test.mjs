/** The names of labels as a person reads and types them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPage, segment, segmented, state } from './page.mjs';

describe('the name of a label', () => {
  let page;
  let complaints;
  const names = () => page.locator('#classes .name');
  before(async () => {
    ({ page, complaints } = await openPage('?backend=cpu'));
    await segmented(page);
  });
  after(() => page.close());

  it('is seen whole, however wide the page is', async () => {
    const long = 'Right lateral ventricle, inferior_horn_and_choroid_plexus';
    await names().nth(1).fill(long);
    for (const width of [1024, 1280, 1440, 640, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const found = await names().evaluateAll((all) =>
        all.map(({ value, scrollHeight, clientHeight, scrollWidth, clientWidth }) => ({
          value,
          hidden: [scrollHeight - clientHeight, scrollWidth - clientWidth],
        })),
      );
      assert.equal(found[1].value, long);
      for (const { value, hidden } of found) assert.ok(Math.max(...hidden) <= 1, `${value} at ${width}: ${hidden} px are cut off`);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
      const folder = process.env.INSITU_PICTURES;
      if (folder) {
        await names().nth(1).scrollIntoViewIfNeeded();
        await page.screenshot({ path: join(folder, `labels-${width}.png`) });
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.locator('#undo').click();
  });

  it('is taken by Enter, and the keyboard stays where it is', async () => {
    await names().nth(0).fill('Head');
    await names().nth(0).press('End');
    await page.keyboard.type(' of it');
    await page.keyboard.press('Enter');
    assert.deepEqual(await page.evaluate(() => [document.activeElement.className, document.activeElement.value]), ['name', 'Head of it']);
    await page.keyboard.press('Tab');
    assert.notEqual(await page.evaluate(() => document.activeElement.className), 'name');
    assert.equal(await names().nth(0).inputValue(), 'Head of it');
  });

  /** Presses Segment, waits for the mask, and does something in between, however short the run is. */
  async function duringARun(act) {
    await page.evaluate(() => {
      window.held = new Promise((resolve) => (window.goOn = resolve));
      window.realPost = Worker.prototype.postMessage;
      // The engine is asked when the test says so.
      Worker.prototype.postMessage = function (...args) {
        window.held.then(() => window.realPost.apply(this, args));
      };
    });
    await segment(page);
    await state(page, 'running');
    await act();
    await page.evaluate(() => {
      Worker.prototype.postMessage = window.realPost;
      window.goOn();
    });
    await state(page, 'done', 'error');
  }

  it('that has the focus, and is not typed in yet, keeps it when a run ends; so do the fields beside it', async () => {
    const focused = () => page.evaluate(() => [document.activeElement.ariaLabel, document.activeElement.closest('tr')?.dataset.index]);
    for (const field of ['.name', '[type=color]', 'td [type=checkbox]']) {
      let before;
      await duringARun(async () => {
        await page.locator('#classes tr:nth-child(2)').locator(field).first().focus();
        before = await focused();
      });
      assert.deepEqual(await focused(), before, field);
    }
  });

  it('that is being typed is not lost to a run that ends meanwhile', async () => {
    await duringARun(async () => {
      await names().nth(0).click();
      await page.keyboard.press('Control+a');
      await page.keyboard.type('Left fr');
    });
    assert.equal(await page.evaluate(() => document.activeElement.value), 'Left fr');
    await page.keyboard.type('ont');
    await page.keyboard.press('Tab');
    await page.locator('#within option', { hasText: 'only inside Left front' }).waitFor({ state: 'attached' });
    await page.locator('#undo').click();
    assert.equal(await names().nth(0).inputValue(), 'Head of it');
    assert.deepEqual(complaints, []);
  });
});
