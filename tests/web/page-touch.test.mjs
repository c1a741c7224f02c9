/** The page under a finger: what is pressed is large enough, fields are not zoomed into, and nothing is wider than the phone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { browser, openPage, segmented } from './page.mjs';

describe('on a phone', () => {
  it('targets are 44 px and fields 16 px', async () => {
    const context = await browser.newContext({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
    const { page } = await openPage('?backend=cpu', context);
    assert.ok(await page.evaluate(() => matchMedia('(pointer: coarse)').matches));
    await segmented(page);
    const small = await page.evaluate(() => {
      const inPlace = [...document.querySelectorAll('button, select, textarea, input:not([type=file])')].filter(
        (one) => one.offsetParent !== null,
      );
      const sizeOf = (one) => {
        // A checkbox is pressed by the label or the cell around it.
        const target = /checkbox|radio|color/.test(one.type) ? (one.closest('label, td') ?? one) : one;
        const { width, height } = target.getBoundingClientRect();
        return Math.min(width, height);
      };
      const nameOf = (one) => one.id || one.ariaLabel || one.className || one.textContent;
      return {
        targets: inPlace
          .filter((one) => one.type !== 'range' && sizeOf(one) < 43.5)
          .map((one) => `${nameOf(one)} ${sizeOf(one).toFixed(0)}`),
        fields: inPlace
          .filter(
            (one) =>
              one.matches('select, textarea, input[type=text], input[type=number]') && parseFloat(getComputedStyle(one).fontSize) < 16,
          )
          .map(nameOf),
        wide: document.documentElement.scrollWidth - innerWidth,
      };
    });
    assert.deepEqual(small, { targets: [], fields: [], wide: 0 });
    await context.close();
  });
});
