/** A pair joined into the one file that the viewer takes: its header in every layout, its voxels untouched. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { oneFile } from '../../www/open/pair.js';

const voxels = Buffer.from('the voxels');

/** A header as long as its version says, that places the voxels at `offset`; `extension`: what follows it. */
function headerOf({ size, order, offset }, extension = '') {
  const header = Buffer.alloc(size, 7);
  header[`writeInt32${order}`](size, 0);
  if (size === 540) header[`writeBigInt64${order}`](BigInt(offset), 168);
  else header[`writeFloat${order}`](offset, 108);
  return Buffer.concat([header, Buffer.from(extension)]);
}

const layouts = {
  'NIfTI-1': { size: 348, order: 'LE', offset: 0 },
  'NIfTI-1, big-endian': { size: 348, order: 'BE', offset: 0 },
  'NIfTI-2': { size: 540, order: 'LE', offset: 0 },
  'NIfTI-2, big-endian': { size: 540, order: 'BE', offset: 0 },
  'an .img with something before its voxels': { size: 348, order: 'LE', offset: 16 },
};

describe('a pair becomes one file', () => {
  for (const [what, layout] of Object.entries(layouts)) {
    it(`(${what})`, async () => {
      const { size, order, offset } = layout;
      const hdr = headerOf(layout, 'an extension of the header');
      const img = Buffer.concat([Buffer.alloc(offset), voxels]);
      const file = Buffer.from(await oneFile({ hdr: new Blob([gzipSync(hdr)]), img: new Blob([img]) }));

      const start = size + 4;
      const second = size === 540;
      const place = second ? Number(file[`readBigInt64${order}`](168)) : file[`readFloat${order}`](108);
      assert.equal(place, start);
      assert.equal(second ? file.toString('latin1', 4, 12) : file.toString('latin1', 344, 348), second ? 'n+2\0\r\n\x1a\n' : 'n+1\0');
      assert.deepEqual(file.subarray(size, start), Buffer.alloc(4));
      assert.deepEqual(file.subarray(start), voxels);

      // Nothing else was touched: with the two fields as they were it is the header again.
      const [from, length] = second ? [4, 8] : [344, 4];
      file.set(hdr.subarray(from, from + length), from);
      file.set(hdr.subarray(second ? 168 : 108, second ? 176 : 112), second ? 168 : 108);
      assert.deepEqual(file.subarray(0, size), hdr.subarray(0, size));
    });
  }
});
