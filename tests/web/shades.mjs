/** Pictures of the page for documents, of half the size. */

/**
 * Fewer shades of the slices, which do not show it, make a file of half the size; all else stays as it is.
 * @param {import('playwright-core').Page} page any @param {Buffer} png @param {{ x: number, y: number, width: number, height: number }} box of the slices
 */
export async function smaller(page, png, { x, y, width, height }) {
  const [left, top, across, down] = [x, y, width, height].map(Math.floor);
  const base64 = await page.evaluate(
    async ([shot, left, top, across, down]) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${shot}`)).blob());
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context.drawImage(bitmap, 0, 0);
      const image = context.getImageData(left, top, across, down);
      for (let i = 0; i < image.data.length; i++) if (i % 4 < 3) image.data[i] = Math.min(255, Math.round(image.data[i] / 12) * 12);
      context.putImageData(image, left, top);
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
      return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
    },
    [png.toString('base64'), left, top, across, down],
  );
  const made = Buffer.from(base64, 'base64');
  return made.length < png.length ? made : png;
}
