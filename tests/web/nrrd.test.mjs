/** Images in NRRD, and label maps told from them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { nrrdAsNifti } from '../../www/open/nifti.js';
import { isLabelMap, openNrrd } from '../../www/open/nrrd.js';

const DIMS = [4, 3, 2];
const VALUES = Array.from({ length: 24 }, (_, i) => 10.5 * i - 40);

/** @param {{ type?: string, sizes?: string, directions?: string, more?: string, bytes?: Buffer }} [options] */
function nrrd({ type = 'float', sizes = DIMS.join(' '), directions = '(-1,0,0) (0,0,2) (0,1.5,0)', more = '', bytes } = {}) {
  const header = [
    'NRRD0005',
    `type: ${type}`,
    `dimension: ${sizes.split(' ').length}`,
    'space: left-posterior-superior',
    `sizes: ${sizes}`,
    `space directions: ${directions}`,
    'endian: little',
    'encoding: gzip',
    'space origin: (10,-20,5)',
  ].join('\n');
  return new Uint8Array(
    Buffer.concat([Buffer.from(`${header}\n${more && `${more}\n`}\n`), gzipSync(bytes ?? Buffer.from(Float32Array.from(VALUES).buffer))]),
  );
}

/** Header fields and voxels of a NIfTI-1 file, little-endian. */
function fields(file) {
  const bytes = Buffer.from(file);
  const dims = Array.from({ length: 8 }, (_, i) => bytes.readInt16LE(40 + 2 * i));
  return {
    dims: dims.slice(1, 1 + dims[0]),
    datatype: bytes.readInt16LE(70),
    spacing: [80, 84, 88].map((at) => bytes.readFloatLE(at)),
    affine: [280, 296, 312].map((at) => [0, 4, 8, 12].map((by) => bytes.readFloatLE(at + by))),
    voxels: bytes.subarray(352),
  };
}

describe('an NRRD image', () => {
  it('becomes NIfTI of the same numbers, where its header puts it', async () => {
    const { dims, datatype, spacing, affine, voxels } = fields(nrrdAsNifti(await openNrrd(nrrd())));
    assert.deepEqual([dims, datatype, spacing], [DIMS, 16, [1, 2, 1.5]]);
    // Left and posterior become right and anterior.
    assert.deepEqual(affine, [
      [1, 0, 0, -10],
      [0, 0, -1.5, 20],
      [0, 2, 0, 5],
    ]);
    assert.deepEqual(
      VALUES.map((_, i) => voxels.readFloatLE(4 * i)),
      VALUES,
    );
  });

  it('may be big-endian, in other units, and of doubles', async () => {
    const bytes = Buffer.alloc(8 * 24);
    VALUES.forEach((value, i) => bytes.writeDoubleBE(value, 8 * i));
    const file = Buffer.from(nrrd({ type: 'double', bytes, more: 'space units: "cm" "cm" "cm"' }));
    const swapped = Buffer.from(file.toString('latin1').replace('little', 'big'), 'latin1');
    const { datatype, spacing, voxels } = fields(nrrdAsNifti(await openNrrd(new Uint8Array(swapped))));
    assert.deepEqual([datatype, spacing], [64, [10, 20, 15]]);
    assert.deepEqual(
      VALUES.map((_, i) => voxels.readDoubleLE(8 * i)),
      VALUES,
    );
  });

  for (const [where, sizes, directions] of [
    ['first', '2 4 3 2', 'none (-1,0,0) (0,0,2) (0,1.5,0)'],
    ['last', '4 3 2 2', '(-1,0,0) (0,0,2) (0,1.5,0) none'],
  ]) {
    it(`of several volumes, their axis ${where}, has one after the other`, async () => {
      const [a, b] = [VALUES, VALUES.map((value) => value + 1000)];
      const mixed = where === 'first' ? a.flatMap((value, i) => [value, b[i]]) : [...a, ...b];
      const file = nrrd({ sizes, directions, bytes: Buffer.from(Float32Array.from(mixed).buffer) });
      const { dims, voxels } = fields(nrrdAsNifti(await openNrrd(file)));
      assert.deepEqual(dims, [...DIMS, 2]);
      assert.deepEqual(
        [...a, ...b].map((_, i) => voxels.readFloatLE(4 * i)),
        [...a, ...b],
      );
    });
  }

  const faults = {
    'of two axes': [{ sizes: '4 6', directions: '(1,0,0) (0,1,0)' }, /sizes: 4 6, nrrdAxes/],
    'of sizes that are none': [{ sizes: '4 -3 2' }, /sizes: 4 -3 2, nrrdSizes/],
    'of blocks': [{ type: 'block' }, /type: block, nrrdNumbers/],
    'with other data before the voxels': [{ more: 'line skip: 3' }, /line skip: 3, nrrdNoSkip/],
    'in inches': [{ more: 'space units: "in" "in" "in"' }, /space units: "in", nrrdUnits/],
    'whose voxels lie elsewhere': [{ more: 'data file: voxels.raw' }, /data file: voxels\.raw, nrrdSameFile/],
    'with a vector too few': [{ directions: '(1,0,0) (0,1,0)' }, /space directions: .*, nrrdVectors/],
    'that ends too early': [{ bytes: Buffer.alloc(20) }, /voxels: 20, nrrdLength/],
  };
  for (const [kind, [options, said]] of Object.entries(faults)) {
    it(`(${kind}) is refused by what is wrong`, () => assert.rejects(openNrrd(nrrd(options)), said));
  }
});

describe('a label map in NRRD', () => {
  const shorts = (values) => nrrd({ type: 'short', bytes: Buffer.from(Int16Array.from(values).buffer) });

  it('is known by its segments, or by few whole numbers', async () => {
    assert.ok(isLabelMap(await openNrrd(shorts(VALUES.map((_, i) => i % 3)))));
    assert.ok(
      isLabelMap(
        await openNrrd(nrrd({ type: 'short', more: 'Segment0_LabelValue:=1', bytes: Buffer.from(Int16Array.from(VALUES).buffer) })),
      ),
    );
  });

  it('is not what has values below 0, too many of them, or fractions', async () => {
    assert.ok(!isLabelMap(await openNrrd(shorts(VALUES))));
    assert.ok(!isLabelMap(await openNrrd(nrrd())));
    const many = Array.from({ length: 96 }, (_, i) => i);
    assert.ok(!isLabelMap(await openNrrd(nrrd({ type: 'short', sizes: '4 6 4', bytes: Buffer.from(Int16Array.from(many).buffer) }))));
  });
});
