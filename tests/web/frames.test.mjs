/** Files of several volumes: counted by their headers, and taken apart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { frameOf, framesIn } from '../../www/open/frames.js';

const VOXELS = 24;
/** 16-bit values, the second volume a thousand above the first. */
const values = (big) => {
  const bytes = Buffer.alloc(4 * VOXELS);
  for (let i = 0; i < 2 * VOXELS; i++) bytes[big ? 'writeInt16BE' : 'writeInt16LE']((i % VOXELS) + (i < VOXELS ? 0 : 1000), 2 * i);
  return bytes;
};

function nifti1() {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [4, 4, 3, 2, 2, 1, 1, 1].forEach((size, i) => header.writeInt16LE(size, 40 + 2 * i));
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  header.writeFloatLE(352, 108);
  return { header, counts: (bytes) => Array.from({ length: 8 }, (_, i) => bytes.readInt16LE(40 + 2 * i)), start: 352 };
}

function nifti2() {
  const header = Buffer.alloc(544);
  header.writeInt32BE(540, 0);
  header.writeInt16BE(4, 12);
  header.writeInt16BE(16, 14);
  [4, 4, 3, 2, 2, 1, 1, 1].forEach((size, i) => header.writeBigInt64BE(BigInt(size), 16 + 8 * i));
  header.writeBigInt64BE(544n, 168);
  return {
    header,
    big: true,
    counts: (bytes) => Array.from({ length: 8 }, (_, i) => Number(bytes.readBigInt64BE(16 + 8 * i))),
    start: 544,
  };
}

function mgh() {
  const header = Buffer.alloc(284);
  [1, 4, 3, 2, 2, 4].forEach((value, i) => header.writeInt32BE(value, 4 * i));
  return {
    header,
    big: true,
    counts: (bytes) => [3, ...[4, 8, 12].map((at) => bytes.readInt32BE(at)), bytes.readInt32BE(16), 1, 1, 1],
    start: 284,
  };
}

describe('a file of several volumes', () => {
  for (const [kind, { header, big, counts, start }] of Object.entries({
    'NIfTI-1': nifti1(),
    'NIfTI-2, big-endian': nifti2(),
    MGH: mgh(),
  })) {
    for (const packed of [false, true]) {
      it(`(${kind}${packed ? ', packed' : ''}) is counted, and each of its volumes is a file of its own`, async () => {
        const whole = Buffer.concat([header, values(big)]);
        const input = new File([packed ? gzipSync(whole) : whole], 'many.nii');
        assert.equal(await framesIn({ input }), 2);
        for (const at of [0, 1]) {
          const one = await frameOf({ input }, at, 'one.nii');
          const bytes = Buffer.from(await one.arrayBuffer());
          assert.deepEqual(counts(bytes), [3, 4, 3, 2, 1, 1, 1, 1]);
          const half = values(big).subarray(2 * VOXELS * at, 2 * VOXELS * (at + 1));
          assert.deepEqual(bytes.subarray(start), half);
          assert.equal(await framesIn({ input: one }), 1);
        }
      });
    }
  }

  it('is one where nothing can be said of it', async () => {
    assert.equal(await framesIn({ input: new File(['words'], 'words.nii') }), 1);
    const { header } = nifti1();
    header.writeInt16LE(-3, 48);
    assert.equal(await framesIn({ input: new File([header], 'odd.nii') }), 1);
  });
});
