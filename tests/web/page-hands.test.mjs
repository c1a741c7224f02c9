/** Painting after the slices were zoomed, dragged and maximised, and what two fingers do with a brush in hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brightSpots } from './bright.mjs';
import { drag, look, looking, MARK, near, PLANES, painted, pinch, settle, zoomAt, zoomNow } from './look.mjs';
import { browser } from './page.mjs';

describe('the brush', () => {
  const ready = async (page) => {
    await page.getByRole('button', { name: 'Brush', exact: true }).click();
    await page.locator('#size').fill('-5');
  };
  const paintsMark = async (page, what) => {
    assert.deepEqual(await painted(page), [MARK], what);
    await page.getByRole('button', { name: 'Undo' }).click();
  };
  /** Where the first mark is, though the other may be out of sight or beside it. */
  const markAt = async (page) => (await brightSpots(page))[0].at;

  it('hits the voxel under the pointer after zoom, pan and maximising, in every plane and display', async () => {
    const { page } = await looking({ label: true });
    for (const radiological of [false, true]) {
      await page.locator('#radiological').setChecked(radiological);
      for (const plane of radiological ? [2] : [0, 1, 2]) {
        await page.locator('#kinds button[value=look]').click();
        await look(page, plane);
        const spots = await brightSpots(page);
        // The one that the first mark is: to the left, but for the sagittal slice and the mirrored display.
        const { at } = radiological || plane === 0 ? spots.at(-1) : spots[0];
        await page.locator('#kinds button[value=brush]').click();
        await page.locator('#size').fill('-5');
        await zoomAt(page, at, 7);
        await drag(page, at, [35, 25], { shift: true });
        await page.mouse.click(at[0] + 35, at[1] + 25);
        await paintsMark(page, `${PLANES[plane]}, radiological: ${radiological}`);
        await page.locator('#slices').focus();
        await page.keyboard.press('r');
      }
    }
    await page.locator('#radiological').setChecked(false);
    await page.locator('#kinds button[value=look]').click();
    await look(page, 2);
    await page.keyboard.press('0');
    const { x, y, width, height } = await page.locator('#slices').boundingBox();
    await page.mouse.dblclick(x + width * 0.3, y + height * 0.8);
    // The click moved the crosshair in the slice.
    await ready(page);
    await page.mouse.click(...(await markAt(page)));
    await paintsMark(page, 'maximised');
    await page.close();
  });

  it('leaves two fingers to the slices, and one paints', async () => {
    const context = await browser.newContext({ hasTouch: true });
    const { page } = await looking({ from: context, label: true });
    await look(page, 2);
    await ready(page);
    const [x, y] = await markAt(page);
    await pinch(
      page,
      [
        [x - 30, y],
        [x + 30, y],
      ],
      [
        [x - 80, y + 30],
        [x + 80, y + 30],
      ],
    );
    assert.ok((await zoomNow(page)) > 2.4, `${await zoomNow(page)}`);
    assert.deepEqual(await painted(page), []);
    near(await markAt(page), [x, y + 30], 4, 'the mark under the fingers');
    await page.touchscreen.tap(x, y + 30);
    await paintsMark(page, 'a tap');
    await page.locator('#sight-reset').tap();
    await settle(page);
    assert.equal(await zoomNow(page), 1);
    await page.locator('#kinds button[value=look]').click();
    for (let i = 0; i < 2; i++) await page.touchscreen.tap(x, y);
    assert.equal(await page.locator('#layouts button[aria-pressed=true]').getAttribute('value'), 'all');
    await context.close();
  });
});
