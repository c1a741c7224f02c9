/**
 * Looking, as hands know it: wheel, pinch, pan, window, ruler, one plane alone, a second volume, and what a label's voxels are like. By
 * real input events on an anisotropic volume; places are found by their pixels in screenshots.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { brightSpots } from './bright.mjs';
import { crosshair, drag, image, look, looking, MARK, near, OTHERS, PLANES, SPACING, settle, where, zoomAt, zoomNow } from './look.mjs';
import { assertAccessible, choose, opened } from './page.mjs';

/** Whether a place lies in a box of the page. */
const isIn = ({ x, y, width, height }, [u, v]) => u > x && u < x + width && v > y && v < y + height;

/** The width of the crosshair's upright line in pixels: columns of the canvas that are mostly of its colour. */
async function lineWidth(page) {
  const shot = (await page.locator('#slices').screenshot()).toString('base64');
  return page.evaluate(async (shot) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(shot), (c) => c.charCodeAt(0))], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const columns = new Uint32Array(bitmap.width);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const isLine = (i) => data[i] < 80 && data[i + 1] > 190 && Math.abs(data[i + 2] - 191) < 25;
    for (let i = 0; i < data.length; i += 4) if (isLine(i)) columns[(i / 4) % bitmap.width]++;
    return columns.filter((count) => count > bitmap.height / 2).length;
  }, shot);
}

describe('looking', () => {
  let page;
  let complaints;
  before(async () => ({ page, complaints } = await looking()));
  after(() => page.close());

  describe('the slices', () => {
    it('are turned by the wheel, a slice a notch, and by a trackpad a slice for some way', async () => {
      await look(page, 2);
      const canvas = await page.locator('#slices').boundingBox();
      await page.mouse.move(canvas.x + canvas.width / 2, canvas.y + canvas.height / 2);
      const slices = [];
      for (const [delta, times] of [
        [120, 1],
        [-120, 1],
        [10, 6],
        [-120, 2],
      ]) {
        for (let i = 0; i < times; i++) await page.mouse.wheel(0, delta);
        await settle(page);
        slices.push((await crosshair(page))[2]);
      }
      assert.deepEqual(
        slices.map((z) => Math.abs(z - MARK[2])),
        [1, 0, 2, 0],
      );
    });

    it('are zoomed about the pointer by Ctrl and wheel, and by keys about the crosshair; reset by R and by a button that comes and goes', async () => {
      await look(page, 2);
      assert.equal(await page.locator('#zoom').isVisible(), false);
      const [{ at }] = await brightSpots(page);
      await zoomAt(page, at, 4);
      assert.ok((await zoomNow(page)) > 2);
      const spots = await brightSpots(page);
      near(
        spots.reduce((a, b) => (Math.hypot(a.at[0] - at[0], a.at[1] - at[1]) < Math.hypot(b.at[0] - at[0], b.at[1] - at[1]) ? a : b)).at,
        at,
        3,
        'the mark',
      );
      await page.keyboard.press('r');
      await settle(page);
      assert.equal(await page.locator('#zoom').isVisible(), false);
      near((await brightSpots(page))[0].at, at, 1, 'after the reset');
      await page.keyboard.press('+');
      await settle(page);
      assert.equal(await zoomNow(page), 1.3);
      await page.keyboard.press('Control+ArrowRight');
      await settle(page);
      await page.locator('#sight-reset').click();
      await settle(page);
      assert.equal(await page.evaluate(() => document.activeElement.id), 'slices');
      assert.equal(await page.locator('#zoom').isVisible(), false);
    });

    it('have lines of the crosshair as thin as before, however far they are zoomed about the pointer', async () => {
      await look(page, 2);
      const { x, y, width, height } = await page.locator('#slices').boundingBox();
      const before = await lineWidth(page);
      await zoomAt(page, [x + width / 2, y + height / 2], 6);
      assert.ok((await zoomNow(page)) > 3);
      const after = await lineWidth(page);
      assert.ok(before >= 1 && after >= 1 && after <= before + 2, `${before} pixels, zoomed ${after}`);
      await page.keyboard.press('r');
    });

    for (const [how, options] of Object.entries({ 'the middle button': { button: 'middle' }, Shift: { shift: true } })) {
      it(`are dragged with ${how}, and keep the crosshair`, async () => {
        await look(page, 1);
        const [{ at }] = await brightSpots(page);
        const before = await where(page);
        await drag(page, at, [70, -40], options);
        near((await brightSpots(page))[0].at, [at[0] + 70, at[1] - 40], 2, 'the mark');
        assert.equal(await where(page), before);
        await page.keyboard.press('r');
      });
    }

    it('follow the crosshair that the keys move out of sight', async () => {
      await look(page, 2);
      const [{ at }] = await brightSpots(page);
      await zoomAt(page, at, 12);
      const canvas = await page.locator('#slices').boundingBox();
      await page.keyboard.press('ArrowRight');
      await settle(page);
      assert.equal((await brightSpots(page)).filter((spot) => isIn(canvas, spot.at)).length, 0);
      assert.notEqual(await zoomNow(page), 1);
      await page.keyboard.press('r');
    });

    it('are shown one plane alone by a double click, and all again by another', async () => {
      await page.locator('#slices').focus();
      await page.keyboard.press('0');
      await settle(page);
      const pressed = () => page.locator('#layouts button[aria-pressed=true]').getAttribute('value');
      const { x, y, width, height } = await page.locator('#slices').boundingBox();
      await page.mouse.dblclick(x + width * 0.3, y + height * 0.25);
      assert.notEqual(await pressed(), 'all');
      await page.mouse.dblclick(x + width / 2, y + height / 2);
      assert.equal(await pressed(), 'all');
    });

    it('take their window from the right button, from presets, and from fields, which say it', async () => {
      await look(page, 2);
      const values = async () =>
        Promise.all(['#window-low', '#window-high'].map(async (id) => Number(await page.locator(id).inputValue())));
      const { x, y, width, height } = await page.locator('#slices').boundingBox();
      const middle = [x + width / 2, y + height / 2];
      await drag(page, middle, [160, 0], { button: 'right' });
      assert.deepEqual(await values(), [-500, 1500]);
      await drag(page, middle, [-160, -80], { button: 'right' });
      assert.deepEqual(await values(), [500, 1500]);
      assert.equal(await page.locator('#window-preset').inputValue(), 'windowOwn');
      await page.locator('#window-preset').selectOption({ label: 'Full range' });
      assert.deepEqual(await values(), [60, 1000]);
      await page.locator('#slices').focus();
      await page.keyboard.press('w');
      assert.equal(await page.locator('#window-preset').inputValue(), 'windowAuto');
      assert.equal(await page.locator('#window-preset option', { hasText: 'CT' }).count(), 0);
      await choose(page, { 'ct.nii.gz': image({ low: -1000 }).bytes });
      await opened(page, 'ct.nii.gz');
      await page.locator('#window-preset').selectOption({ label: 'CT bone' });
      assert.deepEqual(await values(), [-500, 1300]);
    });
  });

  describe('the ruler', () => {
    before(async () => {
      await page.locator('#cases button', { hasText: 'look.nii.gz' }).first().click();
      await opened(page, 'look.nii.gz');
      await page.locator('#window-preset').selectOption({ label: 'Full range' });
    });
    const length = async () => parseFloat(/([\d.]+) mm/.exec(await page.locator('#measured').textContent())[1]);
    const mmOf = (to) => Math.hypot(...to.map((at, i) => (at - MARK[i]) * SPACING[i]));

    for (const [plane, name] of PLANES.entries()) {
      it(`says millimetres in a ${name} slice, zoomed too, before there is any mask`, async () => {
        await look(page, plane);
        await page.keyboard.press('m');
        for (const zoomed of [false, true]) {
          if (zoomed)
            await zoomAt(
              page,
              (await brightSpots(page)).map(({ at }) => at).reduce((a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]),
              1,
            );
          const [a, b] = await brightSpots(page);
          await drag(page, a.at, [b.at[0] - a.at[0], b.at[1] - a.at[1]]);
          assert.ok(Math.abs((await length()) - mmOf(OTHERS[plane])) < 0.3, `${await length()} is not ${mmOf(OTHERS[plane])}`);
          assert.equal(await page.locator('#overlay .length').count(), 1);
        }
        await page.keyboard.press('r');
      });
    }

    it('is put down by the keys too, from one slice to another, and is removed', async () => {
      await look(page, 2);
      await page.keyboard.press('Space');
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowUp', 'PageUp', 'Space', 'PageUp']) await page.keyboard.press(key);
      await settle(page);
      assert.equal(await length(), Number(Math.hypot(1.6, 1.2, 2.5).toFixed(1)));
      await page.locator('#measure-clear').click();
      await settle(page);
      assert.equal(await page.locator('#overlay .length').count(), 0);
    });
  });

  describe('what there is to be seen', () => {
    it('is all in the list of keys, and leaves no violation that axe-core finds', async () => {
      const words = await page.locator('#keys').textContent();
      for (const one of [
        /measure/,
        /zoom/,
        /window preset/,
        /second volume/,
        /delete the chosen label/,
        /inside a label/,
        /Double click/,
        /Wheel/,
      ])
        assert.match(words, one);
      await look(page, 2);
      await page.keyboard.press('m');
      await page.keyboard.press('+');
      await page.locator('#zoom').waitFor();
      for (const scheme of ['light', 'dark']) await assertAccessible(page, scheme);
      assert.deepEqual(complaints, []);
    });
  });
});
